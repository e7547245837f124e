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
import { bufferUsage, type Context } from './context.ts';
import { guard, guardBytes, padded } from './padding.ts';
import { checkTensorSize } from './sizes.ts';

/** Buffers for reading that are kept from one read to the next are this large at most. */
const keptStaging = 65536;

export class GpuTensor implements Tensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly buffer: GPUBuffer;
  readonly #context: Context;
  readonly #bytes: number;
  #staging: GPUBuffer | undefined;
  #disposed = false;

  constructor(context: Context, spec: TensorSpec, data?: TypedArray) {
    this.shape = [...spec.shape];
    this.dtype = spec.dtype;
    this.#context = context;
    this.#bytes = byteLength(this);
    if (data !== undefined) this.#check(data);
    const what = `a tensor ${formatSpec(spec)}`;
    checkTensorSize(context, what, this.#bytes, spec.shape[0] ?? 1);
    const { storage, copySource, copyTarget } = bufferUsage;
    this.buffer = context.buffer(this.guardOffset + guardBytes, storage | copySource | copyTarget, what);
    context.device.queue.writeBuffer(this.buffer, this.guardOffset, guard);
    if (data !== undefined) this.#upload(data);
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Bytes that kernels may use, the padding included; behind them the guard begins. */
  get guardOffset(): number {
    return padded(this.#bytes);
  }

  /** Whether this tensor lives on the device of a context. */
  of(context: Context): boolean {
    return this.#context === context;
  }

  write(data: TypedArray): void {
    this.#alive('write');
    this.#context.checkUsable('write');
    this.#check(data);
    this.#upload(data);
  }

  async read(): Promise<TypedArray> {
    this.#alive('read');
    this.#context.check('read');
    const bytes = Math.ceil(this.#bytes / 4) * 4;
    const staging = this.#staging ?? this.#context.staging(bytes, 'reading');
    this.#staging = undefined;
    let copy: ArrayBuffer;
    try {
      copy = await this.#context.download([[this.buffer, 0, bytes]], staging);
    } catch (error) {
      staging.destroy();
      throw error;
    }
    if (this.#disposed || this.#staging !== undefined || bytes > keptStaging) staging.destroy();
    else this.#staging = staging;
    this.#alive('read');
    const length = elementCount(this.shape);
    if (this.dtype === 'f32') return new Float32Array(copy, 0, length);
    if (this.dtype === 'i32') return new Int32Array(copy, 0, length);
    return this.dtype === 'i8' ? new Int8Array(copy, 0, length) : new Uint8Array(copy, 0, length);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#context.free(this.buffer);
    this.#staging?.destroy();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #upload(data: TypedArray): void {
    const whole = data.byteLength % 4 === 0 ? data : paddedCopy(data);
    // The queue takes a copy at once, behind all that was submitted.
    this.#context.device.queue.writeBuffer(this.buffer, 0, whole.buffer, whole.byteOffset, whole.byteLength);
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

/** Bytes of an array, padded to whole words. */
function paddedCopy(data: TypedArray): Uint8Array {
  const copy = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
  copy.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return copy;
}
