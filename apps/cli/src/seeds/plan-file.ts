import { readFile } from 'node:fs/promises';
import { resolveRecipe, type ImagesOn, type Recipe } from '@skiplane/resnet';
import { writeFileAtomic } from '@skiplane/resnet/node';
import * as v from 'valibot';
import { CommandError, errorMessage } from '../errors.ts';

/** What runs in the folders of one folder have in common; a file there says so. */
export interface CommonPlan {
  readonly recipe: Recipe;
  /** Undefined: each run chose by itself. */
  readonly imagesOn?: ImagesOn | undefined;
  /** With `--precision f16`. */
  readonly lossScaling: boolean;
  readonly seeds: readonly number[];
}

/** The schema of {@link CommonPlan}, but that a recipe is resolved only later. */
export const commonEntries = {
  recipe: v.unknown(),
  imagesOn: v.optional(v.picklist(['host', 'device'])),
  lossScaling: v.optional(v.boolean(), false),
  seeds: v.pipe(v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))), v.minLength(1)),
};

export async function writePlan(path: string, format: string, content: object): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify({ format, ...content }, null, 2)}\n`);
}

/** @throws {CommandError} when the file is damaged */
export async function readPlan<T extends { readonly recipe?: unknown }>(
  path: string,
  schema: v.GenericSchema<unknown, T>,
): Promise<Omit<T, 'recipe'> & { readonly recipe: Recipe }> {
  try {
    const plan = v.parse(schema, JSON.parse(await readFile(path, 'utf8')));
    return { ...plan, recipe: resolveRecipe(plan.recipe) };
  } catch (error) {
    throw new CommandError(
      `'${path}' does not say which runs are here: ${errorMessage(error)} Begin new ones in another folder by --out.`,
      { cause: error },
    );
  }
}
