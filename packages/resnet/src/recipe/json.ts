/** Helpers for plain JSON values. */

export type JsonObject = { readonly [key: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own property, never an inherited one. */
export function ownValue(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/**
 * `changes` over `base`, object by object; lists are replaced whole. An object with a `kind` of its own choosing that is
 * not that of the base replaces it: the settings of one kind are not those of another.
 */
export function merged(base: unknown, changes: unknown): unknown {
  if (changes === undefined) return base;
  if (!isJsonObject(base) || !isJsonObject(changes)) return changes;
  const kind = ownValue(changes, 'kind');
  if (kind !== undefined && kind !== ownValue(base, 'kind')) return changes;
  const keys = [...new Set([...Object.keys(base), ...Object.keys(changes)])];
  return Object.fromEntries(keys.map((key) => [key, merged(ownValue(base, key), ownValue(changes, key))]));
}

/** A value in few words. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined ? 'not given' : typeof value === 'number' ? String(value) : JSON.stringify(value);
}
