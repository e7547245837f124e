import type { Heap } from './heap.ts';

/**
 * Memory for what lasts no longer than a run. The programs of a backend run one after another, so that all use the same
 * block, as long as it is large enough: a larger program gets a new one, which those after it share.
 */
export class SharedArena {
  readonly #heap: Heap;
  /** Programs that use a block, by its byte offset. */
  readonly #users = new Map<number, number>();
  #newest: { readonly offset: number; readonly bytes: number } | undefined;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** Of the block that the next program takes, if it is large enough. */
  get bytes(): number {
    return this.#newest?.bytes ?? 0;
  }

  /** Byte offset of at least `bytes` bytes. @throws {OutOfMemoryError} */
  take(bytes: number, what: string): number {
    if (this.#newest === undefined || this.#newest.bytes < bytes) {
      this.#newest = { offset: this.#heap.allocate(bytes, what), bytes };
    }
    const { offset } = this.#newest;
    this.#users.set(offset, (this.#users.get(offset) ?? 0) + 1);
    return offset;
  }

  /** Ends one use of a block; the last one frees it. */
  giveBack(offset: number): void {
    const users = (this.#users.get(offset) ?? 0) - 1;
    this.#users.set(offset, users);
    if (users > 0) return;
    this.#users.delete(offset);
    this.#heap.release(offset);
    if (this.#newest?.offset === offset) this.#newest = undefined;
  }
}
