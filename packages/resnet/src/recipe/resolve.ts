import { ValueError } from '@skiplane/core';
import * as v from 'valibot';
import { builtInRecipes, isRecipeName, recipeNames, type RecipeName } from './built-in.ts';
import { isJsonObject, merged, ownValue, shown } from './json.ts';
import type { Recipe } from './recipe.ts';
import { recipeSchema } from './schema.ts';

/** Some settings of a recipe, at any depth. */
export type RecipeChanges = { readonly [Key in keyof Recipe]?: PartialSettings<Recipe[Key]> };

type PartialSettings<T> = T extends readonly unknown[] ? T : T extends object ? { readonly [K in keyof T]?: T[K] } : T;

/** A built-in recipe by name, a whole recipe, or changes to the one that `extends` names. */
export type RecipeInput = RecipeName | Recipe | (RecipeChanges & { readonly extends: RecipeName });

/**
 * The recipe that a name, an object or a parsed JSON file stands for, with changes on top of it, checked.
 * @param changes  over it, object by object
 * @throws {ValueError} that lists every problem with its path
 */
export function resolveRecipe(input: unknown, changes: RecipeChanges = {}): Recipe {
  return checkedRecipe(uncheckedRecipe(input, changes));
}

/** What an input with changes stands for. @throws {ValueError} when there is no such recipe */
export function uncheckedRecipe(input: unknown, changes: RecipeChanges): unknown {
  return merged(expanded(input), changes);
}

/** A recipe out of unknown JSON. @throws {ValueError} that lists every problem with its path */
export function checkedRecipe(json: unknown): Recipe {
  const result = v.safeParse(recipeSchema, json);
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => describe(issue));
  throw new ValueError(`this is no usable recipe: ${problems.join('; ')}.`, { problems });
}

/** The settings that an input stands for, not yet checked. */
function expanded(input: unknown): unknown {
  if (typeof input === 'string') return baseRecipe(input);
  if (!isJsonObject(input)) throw new ValueError('this is no recipe: it must be a JSON object.');
  const base = ownValue(input, 'extends');
  if (base === undefined) return input;
  const { extends: _, ...own } = input;
  return merged(baseRecipe(base), own);
}

function baseRecipe(name: unknown): Recipe {
  if (typeof name === 'string' && isRecipeName(name)) return builtInRecipes[name];
  throw new ValueError(`there is no recipe '${shown(name)}'; there are ${recipeNames.join(', ')}.`, { name });
}

function describe(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? 'the recipe';
  if (issue.type === 'strict_object' && issue.expected === 'never') return `${path} is no setting of a recipe`;
  if (issue.type === 'strict_object' && issue.received === 'undefined') return `${path} is missing`;
  return `${path} is ${shown(issue.path?.at(-1)?.value ?? issue.input)}, but must be ${ruleOf(issue)}`;
}

/** Our own messages say the rule; those of valibot name the type that it expected. */
function ruleOf({ message, expected, type }: v.BaseIssue<unknown>): string {
  if (!message.startsWith('Invalid type: ')) return message;
  if (expected === null || expected === 'Object') return 'an object of settings';
  const words = expected
    .replaceAll('"', "'")
    .replace(/^\(|\)$/g, '')
    .replaceAll(' | ', ' or ');
  return type === 'variant' || type === 'literal' ? words : `of type ${words}`;
}
