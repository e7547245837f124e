import {
  allocate,
  byteLength,
  DisposedError,
  elementCount,
  formatSpec,
  ShapeError,
  type DType,
  type Tensor,
  type TensorSpec,
  type TypedArray,
} from '@skiplane/core';
import type { Heap } from './heap.ts';
import type { Queue } from './queue.ts';

/** Bytes behind every tensor that no kernel may touch; checked with `{ guard: true }`. */
export const guardBytes = 64;
export const guardWord = 0x5eaf00d5;

export class WasmTensor implements Tensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Byte offset in the backend's memory. */
  readonly offset: number;
  readonly #heap: Heap;
  readonly #queue: Queue;
  #disposed = false;
  #version = 0;

  constructor(heap: Heap, queue: Queue, spec: TensorSpec, data?: TypedArray) {
    this.shape = [...spec.shape];
    this.dtype = spec.dtype;
    this.#heap = heap;
    this.#queue = queue;
    if (data !== undefined) this.#check(data);
    this.offset = heap.allocate(paddedBytes(this) + guardBytes, `a tensor ${formatSpec(spec)}`);
    heap.u8(this.offset, paddedBytes(this)).fill(0);
    heap.i32(this.guardOffset, guardBytes / 4).fill(guardWord);
    if (data !== undefined) this.#view().set(data);
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  get guardOffset(): number {
    return this.offset + paddedBytes(this);
  }

  /** Rises whenever the content changes, in the order of the calls: what was made of an older version is out of date. */
  get version(): number {
    return this.#version;
  }

  changed(): void {
    this.#version++;
  }

  write(data: TypedArray): void {
    this.#alive('write');
    this.#check(data);
    this.changed();
    if (this.#queue.idle) this.#view().set(data);
    else {
      const copy = data.slice();
      this.#queue.add(() => {
        if (!this.#disposed) this.#view().set(copy);
      });
    }
  }

  async read(): Promise<TypedArray> {
    this.#alive('read');
    await this.#queue.settled();
    this.#alive('read');
    const copy = allocate(this.dtype, elementCount(this.shape));
    copy.set(this.#view());
    return copy;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#queue.add(() => this.#heap.release(this.offset));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #view(): TypedArray {
    const length = elementCount(this.shape);
    switch (this.dtype) {
      case 'f32':
        return this.#heap.f32(this.offset, length);
      case 'i32':
        return this.#heap.i32(this.offset, length);
      case 'u8':
        return this.#heap.u8(this.offset, length);
      case 'i8':
        return this.#heap.i8(this.offset, length);
      default:
        return this.dtype satisfies never;
    }
  }

  #check(data: TypedArray): void {
    const expected = allocate(this.dtype, 0).constructor;
    const length = elementCount(this.shape);
    if (data.constructor !== expected || data.length !== length) {
      throw new ShapeError(
        `a tensor ${formatSpec(this)} takes a ${expected.name} of ${length} elements, but got a ${data.constructor.name} of ${data.length}.`,
      );
    }
  }

  #alive(action: string): void {
    if (this.#disposed) throw new DisposedError(`${action}: the tensor ${formatSpec(this)} has been disposed.`);
  }
}

/** Kernels work on whole vectors and may write up to the next multiple of 64 bytes. */
function paddedBytes(spec: TensorSpec): number {
  return Math.ceil(byteLength(spec) / 64) * 64;
}
