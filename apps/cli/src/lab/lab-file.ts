import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { labNames, type LabName } from '@skiplane/resnet';
import * as v from 'valibot';
import { commonEntries, readPlan, writePlan, type CommonPlan } from '../seeds/plan-file.ts';
import type { NetResult } from './results.ts';

/** What decides the runs of a lab: `lab.json` in the folder that theirs are in, with their results. */
export interface LabPlan extends CommonPlan {
  readonly lab: LabName;
  /** Layers, where they were chosen. */
  readonly depth?: number | undefined;
  /** Models, in the order of training. */
  readonly nets: readonly string[];
  /** Null where none was given. */
  readonly budget: LabBudget | null;
}

/** How a budget of time became epochs. */
interface LabBudget {
  readonly seconds: number;
  /** Of all runs together, as measured before the first. */
  readonly secondsAnEpoch: number;
  /** What the recipe asked for. */
  readonly wantedEpochs: number;
}

const fileName = 'lab.json';
const format = 'skiplane-lab';

const schema = v.object({
  format: v.literal(format),
  lab: v.picklist(labNames),
  depth: v.optional(v.pipe(v.number(), v.safeInteger())),
  nets: v.pipe(v.array(v.string()), v.minLength(1)),
  budget: v.nullable(v.object({ seconds: v.number(), secondsAnEpoch: v.number(), wantedEpochs: v.number() })),
  ...commonEntries,
});

export const labFile = (folder: string): string => join(folder, fileName);

export const isLabFolder = (folder: string): boolean => existsSync(labFile(folder));

/** The folder of a net's run. */
export const runFolder = (folder: string, model: string, seed: number): string => join(folder, model, `seed-${seed}`);

export const writeLab = (folder: string, plan: LabPlan, results: readonly NetResult[]): Promise<void> =>
  writePlan(labFile(folder), format, { ...plan, results });

/** @throws {CommandError} when the file is damaged */
export async function readLab(folder: string): Promise<LabPlan> {
  const { format: _, ...plan } = await readPlan(labFile(folder), schema);
  return plan;
}
