import { ValueError } from '@skiplane/core';
import { isJsonObject, ownValue, shown, type JsonObject } from './json.ts';
import type { Recipe } from './recipe.ts';
import { checkedRecipe, uncheckedRecipe, type RecipeChanges } from './resolve.ts';

/** One setting of a recipe: a path such as `optimizer.momentum` or `callbacks.0.patience`, and its value. */
export interface Setting {
  readonly path: string;
  readonly value: unknown;
}

/**
 * Reads `optimizer.momentum=0.8`: the value is JSON, or a word.
 * @throws {ValueError} when it has no `=` or no path
 */
export function parseSetting(text: string): Setting {
  const [, path, value] = /^([A-Za-z0-9]+(?:\.[A-Za-z0-9]+)*)=(.*)$/s.exec(text) ?? [];
  if (path === undefined || value === undefined) {
    throw new ValueError(`'${text}' is no setting: it must be a path and a value, such as optimizer.momentum=0.8.`);
  }
  return { path, value: parseValue(value) };
}

/** What `resolveRecipe` gives, with single settings on top of it all, one after the other. @throws {ValueError} as that does */
export function recipeWithSettings(input: unknown, changes: RecipeChanges, settings: readonly Setting[]): Recipe {
  return checkedRecipe(settings.reduce(withSetting, uncheckedRecipe(input, changes)));
}

/**
 * A copy of a recipe's JSON with one setting changed. A word for settings that have a `kind` chooses the kind, with its
 * defaults: `augmentation=none`.
 */
function withSetting(json: unknown, { path, value }: Setting): unknown {
  return changed(json, path.split('.'), value, path);
}

function changed(json: unknown, [key, ...rest]: readonly string[], value: unknown, path: string): unknown {
  if (key === undefined) return isJsonObject(json) && Object.hasOwn(json, 'kind') ? asKind(json, value) : value;
  if (Array.isArray(json)) {
    const index = Number(key);
    // The place behind the last one is free for a new entry.
    if (!Number.isInteger(index) || index > json.length) {
      throw new ValueError(
        `there is no ${path}: the list has entries 0 to ${json.length - 1}, and ${json.length} adds one.`,
      );
    }
    const entry = changed(json[index], rest, value, path);
    return index === json.length ? [...(json as unknown[]), entry] : json.with(index, entry);
  }
  if (!isJsonObject(json) && json !== undefined && json !== null) {
    throw new ValueError(`there is no ${path}: what is there is ${shown(json)}, which has no settings of its own.`);
  }
  const object = json ?? {};
  if (key === 'kind' && rest.length === 0) return asKind(object, value);
  const entry = changed(ownValue(object, key), rest, value, path);
  return Object.fromEntries([...Object.entries(object).filter(([name]) => name !== key), [key, entry]]);
}

function asKind(json: JsonObject, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return ownValue(json, 'kind') === value ? json : { kind: value };
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
