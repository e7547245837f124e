import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestResult } from '@skiplane/resnet';
import { runFiles } from '@skiplane/resnet/node';
import * as v from 'valibot';
import { CommandError } from '../errors.ts';
import { commonEntries, readPlan, writePlan, type CommonPlan } from './plan-file.ts';
import type { Distribution } from './statistics.ts';

/** Runs that differ in their seed alone: `seeds.json` in the folder that theirs are in. */
export interface Series extends CommonPlan {
  readonly model: string;
  /** Of the runs that have ended, in the order of the seeds. */
  readonly results: readonly SeedResult[];
  /** Once all have ended. */
  readonly summary: SeriesSummary | null;
}

export interface SeedResult {
  readonly seed: number;
  readonly test: TestResult;
  readonly bestValidationAccuracy: number;
}

/** Over the seeds, on the test images. */
interface SeriesSummary {
  readonly accuracy: Distribution;
  readonly loss: Distribution;
}

const fileName = 'seeds.json';
const format = 'skiplane-seeds';

const schema = v.object({ format: v.literal(format), model: v.string(), ...commonEntries });

export const isSeriesFolder = (folder: string): boolean => existsSync(join(folder, fileName));

export const seedFolder = (folder: string, seed: number): string => join(folder, `seed-${seed}`);

export const writeSeries = (folder: string, series: Series): Promise<void> =>
  writePlan(join(folder, fileName), format, series);

/** What the runs of a folder have in common. @throws {CommandError} when its file is damaged */
export async function readSeries(folder: string): Promise<Omit<Series, 'results' | 'summary'>> {
  const { format: _, ...series } = await readPlan(join(folder, fileName), schema);
  return series;
}

/** The folders of the runs in a folder: itself, or one for every seed that has begun. */
export async function runFolders(folder: string): Promise<readonly string[]> {
  if (!isSeriesFolder(folder)) return [folder];
  const { seeds } = await readSeries(folder);
  const folders = seeds.map((seed) => seedFolder(folder, seed)).filter((path) => existsSync(runFiles(path).last));
  if (folders.length > 0) return folders;
  throw new CommandError(`no run in '${folder}' has come to its first checkpoint yet.`);
}
