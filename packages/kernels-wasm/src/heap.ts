import { OutOfMemoryError } from '@skiplane/core';

const pageBytes = 65536;
/** The memory grows by 4 MB or more: growing costs more than addresses that nothing is written to. */
const growthPages = 64;
/** Below lie the binary's tables. */
const firstByte = pageBytes;

interface Range {
  start: number;
  end: number;
}

/** All memory of one backend, with a first-fit allocator; grows on demand. */
export class Heap {
  static readonly alignment = 64;
  readonly memory: WebAssembly.Memory;
  readonly #limitPages: number;
  readonly #free: Range[] = [];
  readonly #taken = new Map<number, number>();
  #end = firstByte;
  #used = 0;
  #peak = 0;

  constructor(shared: boolean, limitBytes: number) {
    this.#limitPages = Math.min(65536, Math.floor(limitBytes / pageBytes));
    this.memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared });
  }

  /** Bytes in use. */
  get usedBytes(): number {
    return this.#used;
  }

  /** The most bytes that were in use at one time. */
  get peakBytes(): number {
    return this.#peak;
  }

  /** Byte offset of `bytes` new bytes, aligned to 64; their content is whatever was there. @throws {OutOfMemoryError} */
  allocate(bytes: number, what: string): number {
    const size = Math.max(Heap.alignment, Math.ceil(bytes / Heap.alignment) * Heap.alignment);
    const index = this.#free.findIndex((range) => range.end - range.start >= size);
    const range = this.#free[index];
    if (range !== undefined) {
      const { start } = range;
      range.start += size;
      if (range.start === range.end) this.#free.splice(index, 1);
      this.#take(start, size);
      return start;
    }
    // The last free range may reach the end of the memory: growing needs only the rest.
    const last = this.#free.at(-1);
    const start = last?.end === this.#end ? last.start : this.#end;
    this.#growTo(start + size, bytes, what);
    if (start !== this.#end) this.#free.pop();
    this.#end = start + size;
    this.#take(start, size);
    return start;
  }

  #take(start: number, size: number): void {
    this.#taken.set(start, size);
    this.#used += size;
    this.#peak = Math.max(this.#peak, this.#used);
  }

  release(start: number): void {
    const size = this.#taken.get(start);
    if (size === undefined) throw new RangeError(`nothing was allocated at ${start}`);
    this.#taken.delete(start);
    this.#used -= size;
    const range = { start, end: start + size };
    const at = this.#free.findIndex((other) => other.start > start);
    this.#free.splice(at === -1 ? this.#free.length : at, 0, range);
    this.#merge();
  }

  f32(offset: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, offset, length);
  }

  i32(offset: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, offset, length);
  }

  u8(offset: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, offset, length);
  }

  i8(offset: number, length: number): Int8Array {
    return new Int8Array(this.memory.buffer, offset, length);
  }

  #growTo(end: number, bytes: number, what: string): void {
    const pages = Math.ceil(end / pageBytes);
    const present = this.memory.buffer.byteLength / pageBytes;
    if (pages <= present) return;
    const fail = (reason: string): never => {
      throw new OutOfMemoryError(
        `${what} needs ${megabytes(bytes)}, but ${reason} (${megabytes(this.usedBytes)} are in use): use a smaller batch or model.`,
        { bytes, usedBytes: this.usedBytes },
      );
    };
    if (pages > this.#limitPages) fail(`the limit of the wasm memory is ${megabytes(this.#limitPages * pageBytes)}`);
    try {
      this.memory.grow(Math.min(Math.max(pages, present + growthPages), this.#limitPages) - present);
    } catch (error) {
      fail(`the engine cannot grow the wasm memory to ${megabytes(end)}: ${(error as Error).message}`);
    }
  }

  #merge(): void {
    for (let i = this.#free.length - 1; i > 0; i--) {
      const before = this.#free[i - 1] as Range;
      const range = this.#free[i] as Range;
      if (before.end !== range.start) continue;
      before.end = range.end;
      this.#free.splice(i, 1);
    }
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
