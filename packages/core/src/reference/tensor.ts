import { DisposedError, ShapeError } from '../errors.ts';
import {
  allocate,
  elementCount,
  formatSpec,
  type DType,
  type Tensor,
  type TensorSpec,
  type TypedArray,
} from '../tensor.ts';

/** A tensor of the reference backend, with its elements open to tests. */
export interface ReferenceTensor extends Tensor {
  /** The unrounded elements, in row-major order; may be written to, past the rounding of `write`. */
  readonly values: Float64Array;
}

/** The backend, as far as what it made needs to know it. */
export interface Owner {
  readonly disposed: boolean;
}

export class HostTensor implements ReferenceTensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly owner: Owner;
  readonly #values: Float64Array;
  #disposed = false;

  constructor(owner: Owner, spec: TensorSpec, data?: TypedArray) {
    this.owner = owner;
    this.shape = [...spec.shape];
    this.dtype = spec.dtype;
    this.#values = new Float64Array(elementCount(spec.shape));
    if (data !== undefined) this.write(data);
  }

  get disposed(): boolean {
    return this.#disposed || this.owner.disposed;
  }

  get values(): Float64Array {
    this.#check('values');
    return this.#values;
  }

  write(data: TypedArray): void {
    this.#check('write');
    const expected = allocate(this.dtype, 0).constructor.name;
    if (data.constructor.name !== expected || data.length !== this.#values.length) {
      throw new ShapeError(
        `write: tensor ${formatSpec(this)} takes a ${expected} of ${this.#values.length} elements, but got a ${data.constructor.name} of ${data.length}.`,
        { spec: formatSpec(this), length: data.length },
      );
    }
    this.#values.set(data);
  }

  async read(): Promise<TypedArray> {
    this.#check('read');
    const data = allocate(this.dtype, this.#values.length);
    data.set(this.#values);
    return data;
  }

  dispose(): void {
    this.#disposed = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #check(asked: string): void {
    if (this.disposed) {
      throw new DisposedError(`${asked}: tensor ${formatSpec(this)} has been disposed; make a new one.`, {
        spec: formatSpec(this),
      });
    }
  }
}
