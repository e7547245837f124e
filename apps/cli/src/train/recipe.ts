import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { ValueError } from '@skiplane/core';
import {
  builtInRecipes,
  isRecipeName,
  parseSetting,
  recipeChanges,
  recipeDifferences,
  recipeNames,
  recipeWithSettings,
  resolveRecipe,
  showSetting,
  type Recipe,
} from '@skiplane/resnet';
import { UsageError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import type { TrainFlags } from './settings.ts';

/** The recipe of `--recipe`, with what the other options change in it, `--set` last. @throws {UsageError} listing all problems */
export function recipeOf(flags: TrainFlags): Recipe {
  const { recipe = 'keras', set = [], epochs, batch: batchSize, lr: learningRate, augment } = flags;
  return asUsage(() => {
    const base = resolveRecipe(isRecipeName(recipe) ? recipe : readRecipe(recipe));
    const changes = recipeChanges({ epochs, batchSize, learningRate, augment }, base);
    return checked(recipeWithSettings(base, changes, set.map(parseSetting)));
  });
}

/** What a run was trained with, with the changes of `--set`. @throws {UsageError} listing all problems */
export function changedRecipe(kept: Recipe, { set = [] }: TrainFlags): Recipe {
  return asUsage(() => checked(recipeWithSettings(kept, {}, set.map(parseSetting))));
}

/** The name, and how it differs from the recipe that has the name by itself: `keras with batchSize 8`. */
export function describeRecipe(recipe: Recipe): string {
  if (!isRecipeName(recipe.name)) return recipe.name;
  const changes = recipeDifferences(recipe, builtInRecipes[recipe.name]).map(
    ({ path, present }) => `${path} ${showSetting(present)}`,
  );
  return changes.length === 0 ? recipe.name : `${recipe.name} with ${changes.join(', ')}`;
}

/** The JSON of a recipe file; a file that gives no name has its own. */
function readRecipe(path: string): unknown {
  if (!existsSync(path)) {
    throw new UsageError(
      `--recipe is '${path}', but there is neither such a file nor such a recipe: it must be ${recipeNames.join(', ')}, or a JSON file.${didYouMean(path, recipeNames)}`,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(`the recipe '${path}' is no JSON text: ${error.message}.`, { cause: error });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return json;
  return { name: basename(path, '.json'), ...json };
}

function checked(recipe: Recipe): Recipe {
  if (recipe.validation.kind !== 'given') return recipe;
  throw new ValueError("validation.kind is given, but here it must be 'test' or 'holdout'.");
}

function asUsage(body: () => Recipe): Recipe {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}
