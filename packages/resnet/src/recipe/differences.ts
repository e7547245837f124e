import { isJsonObject, ownValue } from './json.ts';

/** A place where two JSON values differ. */
export interface Difference {
  /** Such as `optimizer.momentum`. */
  readonly path: string;
  readonly present: unknown;
  readonly saved: unknown;
}

/** Every place where two JSON values differ; lists, and settings of different kinds, are compared as a whole. */
export function differences(present: unknown, saved: unknown, path = ''): readonly Difference[] {
  if (isJsonObject(present) && isJsonObject(saved) && ownValue(present, 'kind') === ownValue(saved, 'kind')) {
    const keys = [...new Set([...Object.keys(present), ...Object.keys(saved)])];
    return keys.flatMap((key) =>
      differences(ownValue(present, key), ownValue(saved, key), path === '' ? key : `${path}.${key}`),
    );
  }
  return JSON.stringify(present) === JSON.stringify(saved) ? [] : [{ path, present, saved }];
}
