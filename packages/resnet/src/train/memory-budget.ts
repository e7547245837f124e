import { OutOfMemoryError, UnsupportedError, type Backend } from '@skiplane/core';

/** Of what a program may take, the share left for its records and its kernels' scratch; and bytes besides. */
const reservedShare = 0.04;
const reservedBytes = 2 ** 20;

/** Hands a limit of device memory out to the programs of a training. */
export class MemoryBudget {
  readonly limitBytes: number;
  readonly #backend: Backend;

  /** @throws {UnsupportedError} when the backend cannot tell how much is in use */
  constructor(backend: Backend, limitBytes: number) {
    if (backend.memory === undefined) {
      throw new UnsupportedError(
        `a memory limit needs a backend that can tell how much is in use, which '${backend.name}' cannot: leave it out, or take another backend.`,
        { backend: backend.name },
      );
    }
    this.limitBytes = limitBytes;
    this.#backend = backend;
  }

  get usedBytes(): number {
    return this.#backend.memory?.usedBytes ?? 0;
  }

  /**
   * Makes a program within its share of what is left.
   * @param share  of all programs that are still to be made, and more than 0
   * @param inputBytes  of tensors that the program has for itself
   * @throws {OutOfMemoryError} that says the least limit that would do
   */
  async fit<T>(
    what: string,
    share: number,
    inputBytes: number,
    make: (arenaLimitBytes: number) => Promise<T>,
  ): Promise<T> {
    const used = this.usedBytes;
    const own = (this.limitBytes - used) * share;
    const limit = Math.floor(own * (1 - reservedShare)) - reservedBytes - inputBytes;
    try {
      const made = await make(Math.max(0, limit));
      if (this.usedBytes > this.limitBytes) throw this.#tooSmall(what, this.usedBytes);
      return made;
    } catch (error) {
      const smallest = error instanceof OutOfMemoryError ? error.details['smallestBytes'] : undefined;
      if (typeof smallest !== 'number') throw error;
      throw this.#tooSmall(what, used + (smallest + reservedBytes + inputBytes) / (1 - reservedShare) / share);
    }
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

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en-US')} MB`;
