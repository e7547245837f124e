import { OutOfMemoryError, UnsupportedError, type Backend, type BackendMemory } from '@skiplane/core';

/** Of what a program may take, the share left for its records and its kernels' scratch; and bytes besides. */
const reservedShare = 0.04;
const reservedBytes = 2 ** 20;

/** Hands a limit of device memory out to the programs of a training, each for so many images. */
export class MemoryBudget {
  readonly limitBytes: number;
  readonly #backend: Backend;
  readonly #bytesAnImage: number;
  /** Images of the programs that are still to be made. */
  #left: number[] = [];

  /**
   * @param bytesAnImage  of tensors that a program has for itself
   * @throws {UnsupportedError} when the backend cannot tell how much is in use
   */
  constructor(backend: Backend, limitBytes: number, bytesAnImage: number) {
    if (backend.memory === undefined) {
      throw new UnsupportedError(
        `a memory limit needs a backend that can tell how much is in use, which '${backend.name}' cannot: leave it out, or take another backend.`,
        { backend: backend.name },
      );
    }
    this.limitBytes = limitBytes;
    this.#backend = backend;
    this.#bytesAnImage = bytesAnImage;
  }

  get usedBytes(): number {
    return this.#memory.usedBytes;
  }

  /** What is going to be made, the largest first, since a backend may have the others take its memory again. */
  expect(images: readonly number[]): void {
    this.#left = images.toSorted((a, b) => a - b);
  }

  /**
   * Makes the next program within its share of what is left.
   * @throws {OutOfMemoryError} that says about the least limit that would do, `neededBytes` in its details
   */
  async fit<T extends Disposable>(what: string, make: (arenaLimitBytes: number) => Promise<T>): Promise<T> {
    const { usedBytes: before, sharedBytes } = this.#memory;
    const all = sum(this.#left);
    const images = this.#left.pop() ?? 0;
    // Where programs share memory, the first is given all of it but for the others' tensors.
    const share = sharedBytes === undefined ? images / all : 1;
    const others = sharedBytes === undefined ? [] : this.#left;
    const reserved = (1 + others.length) * reservedBytes + (images + sum(others)) * this.#bytesAnImage;
    const own = Math.floor((this.limitBytes - before) * share * (1 - reservedShare) - reserved);
    try {
      const made = await make(Math.max(0, own, sharedBytes ?? 0));
      const { usedBytes } = this;
      if (usedBytes <= this.limitBytes) return made;
      made[Symbol.dispose]();
      throw this.#tooSmall(what, usedBytes);
    } catch (error) {
      const smallest = error instanceof OutOfMemoryError ? error.details['smallestBytes'] : undefined;
      if (typeof smallest !== 'number') throw error;
      throw this.#tooSmall(what, before + (smallest + reserved) / (1 - reservedShare) / share);
    }
  }

  get #memory(): BackendMemory {
    return this.#backend.memory ?? { usedBytes: 0, peakBytes: 0 };
  }

  #tooSmall(what: string, smallestBytes: number): OutOfMemoryError {
    const least = Math.ceil(smallestBytes / 1e6);
    return new OutOfMemoryError(
      `${what} does not fit in a memory limit of ${megabytes(this.limitBytes)}: it needs about ${least.toLocaleString('en-US')} MB with all that can be recomputed, ` +
        `${megabytes(this.usedBytes)} of it for parameters, the optimizer's state and evaluation; raise the limit, or take smaller batches.`,
      { limitBytes: this.limitBytes, neededBytes: least * 1e6 },
    );
  }
}

const sum = (images: readonly number[]): number => images.reduce((all, some) => all + some, 0);

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en-US')} MB`;
