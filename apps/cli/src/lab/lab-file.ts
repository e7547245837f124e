import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { labNames, resolveRecipe, type ImagesOn, type LabName, type Recipe } from '@skiplane/resnet';
import { writeFileAtomic } from '@skiplane/resnet/node';
import * as v from 'valibot';
import { CommandError, errorMessage } from '../errors.ts';
import type { NetResult } from './results.ts';

/** What decides the runs of a lab: `lab.json` in the folder that theirs are in, with their results. */
export interface LabPlan {
  readonly lab: LabName;
  /** Models, in the order of training. */
  readonly nets: readonly string[];
  readonly seeds: readonly number[];
  readonly recipe: Recipe;
  /** Undefined: each run chose by itself. */
  readonly imagesOn?: ImagesOn | undefined;
  /** With `--precision f16`. */
  readonly lossScaling: boolean;
  /** Null where none was given. */
  readonly budget: LabBudget | null;
}

/** How a budget of time became epochs. */
export interface LabBudget {
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
  nets: v.pipe(v.array(v.string()), v.minLength(1)),
  seeds: v.pipe(v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))), v.minLength(1)),
  recipe: v.unknown(),
  imagesOn: v.optional(v.picklist(['host', 'device'])),
  lossScaling: v.boolean(),
  budget: v.nullable(v.object({ seconds: v.number(), secondsAnEpoch: v.number(), wantedEpochs: v.number() })),
});

export const labFile = (folder: string): string => join(folder, fileName);

export const isLabFolder = (folder: string): boolean => existsSync(labFile(folder));

/** The folder of a net's run. */
export const runFolder = (folder: string, model: string, seed: number): string => join(folder, model, `seed-${seed}`);

export async function writeLab(folder: string, plan: LabPlan, results: readonly NetResult[]): Promise<void> {
  await writeFileAtomic(labFile(folder), `${JSON.stringify({ format, ...plan, results }, null, 2)}\n`);
}

/** @throws {CommandError} when the file is damaged */
export async function readLab(folder: string): Promise<LabPlan> {
  const path = labFile(folder);
  try {
    const { format: _, recipe, ...plan } = v.parse(schema, JSON.parse(await readFile(path, 'utf8')));
    return { ...plan, recipe: resolveRecipe(recipe) };
  } catch (error) {
    throw new CommandError(
      `'${path}' does not say which runs are here: ${errorMessage(error)} Begin a new lab in another folder by --out.`,
      { cause: error },
    );
  }
}
