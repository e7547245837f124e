import { formatShape } from '@skiplane/core';
import leven from 'leven';
import type { FileTensor } from './model-file.ts';

/** Tensors of a file by name, of which every one must be taken exactly once. */
export class TensorNames {
  readonly #all: ReadonlyMap<string, FileTensor>;
  readonly #taken = new Set<string>();
  readonly #missing: string[] = [];

  constructor(all: ReadonlyMap<string, FileTensor>) {
    this.#all = all;
  }

  has(name: string): boolean {
    return this.#all.has(name);
  }

  shape(name: string): readonly number[] | undefined {
    return this.#all.get(name)?.shape;
  }

  get count(): number {
    return this.#all.size;
  }

  all(): readonly string[] {
    return [...this.#all.keys()];
  }

  /** Undefined, and noted, when there is none of the name. */
  take(name: string): FileTensor | undefined {
    const tensor = this.#all.get(name);
    if (tensor === undefined) this.#missing.push(name);
    else this.#taken.add(name);
    return tensor;
  }

  /** What is missing, with the nearest names among those left over, and what is left over. */
  problems(): readonly string[] {
    const left = [...this.#all.values()].filter(({ name }) => !this.#taken.has(name));
    const missing = this.#missing.map((name) => {
      const near = nearest(
        name,
        left.map((tensor) => tensor.name),
      );
      return `'${name}' is missing${near.length > 0 ? `; the nearest left over: ${near.join(', ')}` : ''}`;
    });
    return [...missing, ...left.map(({ name, shape }) => `'${name}' ${formatShape(shape)} is used by nothing`)];
  }
}

/** Comparing every name with every other is for short lists. */
const maxCompared = 500;

function nearest(name: string, names: readonly string[]): readonly string[] {
  return names
    .slice(0, maxCompared)
    .map((other) => ({ other, distance: leven(name.slice(-100), other.slice(-100)) }))
    .filter(({ distance }) => distance <= Math.max(3, name.length / 3))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ other }) => `'${other}'`);
}
