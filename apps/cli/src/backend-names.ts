import { InvalidArgumentError } from '@commander-js/extra-typings';

export const backendNames = ['auto', 'wasm', 'gpu', 'reference'] as const;
export type BackendName = (typeof backendNames)[number];

/** Parser of `--backend`. */
export function backendName(text: string): BackendName {
  const name = backendNames.find((candidate) => candidate === text);
  if (name !== undefined) return name;
  throw new InvalidArgumentError(`The backends of this version are ${backendNames.join(', ')}.`);
}
