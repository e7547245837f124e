import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveRecipe, type ImagesOn, type Recipe, type TestResult } from '@skiplane/resnet';
import { runFiles, writeFileAtomic } from '@skiplane/resnet/node';
import * as v from 'valibot';
import { CommandError, errorMessage } from '../errors.ts';
import type { Distribution } from './statistics.ts';

/** Runs that differ in their seed alone: `seeds.json` in the folder that theirs are in. */
export interface Series {
  readonly model: string;
  readonly recipe: Recipe;
  /** Undefined: each run chose by itself. */
  readonly imagesOn?: ImagesOn | undefined;
  /** With `--precision f16`. */
  readonly lossScaling: boolean;
  readonly seeds: readonly number[];
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

const schema = v.object({
  format: v.literal(format),
  model: v.string(),
  recipe: v.unknown(),
  imagesOn: v.optional(v.picklist(['host', 'device'])),
  lossScaling: v.optional(v.boolean(), false),
  seeds: v.pipe(v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))), v.minLength(1)),
});

export const isSeriesFolder = (folder: string): boolean => existsSync(join(folder, fileName));

export const seedFolder = (folder: string, seed: number): string => join(folder, `seed-${seed}`);

export async function writeSeries(folder: string, series: Series): Promise<void> {
  await writeFileAtomic(join(folder, fileName), `${JSON.stringify({ format, ...series }, null, 2)}\n`);
}

/** What the runs of a folder have in common. @throws {CommandError} when its file is damaged */
export async function readSeries(folder: string): Promise<Omit<Series, 'results' | 'summary'>> {
  const path = join(folder, fileName);
  try {
    const { model, recipe, imagesOn, lossScaling, seeds } = v.parse(schema, JSON.parse(await readFile(path, 'utf8')));
    return { model, recipe: resolveRecipe(recipe), imagesOn, lossScaling, seeds };
  } catch (error) {
    throw new CommandError(
      `'${path}' does not say which runs are here: ${errorMessage(error)} Begin new ones in another folder by --out.`,
      { cause: error },
    );
  }
}

/** The folders of the runs in a folder: itself, or one for every seed that has begun. */
export async function runFolders(folder: string): Promise<readonly string[]> {
  if (!isSeriesFolder(folder)) return [folder];
  const { seeds } = await readSeries(folder);
  const folders = seeds.map((seed) => seedFolder(folder, seed)).filter((path) => existsSync(runFiles(path).last));
  if (folders.length > 0) return folders;
  throw new CommandError(`no run in '${folder}' has come to its first checkpoint yet.`);
}
