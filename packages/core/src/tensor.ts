/** Element types a tensor may hold. */
export type DType = 'f32' | 'i32' | 'u8' | 'i8';

export type TypedArray = Float32Array | Int32Array | Uint8Array | Int8Array;

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A tensor that the caller owns, living in one backend's memory. */
export interface Tensor extends TensorSpec, Disposable {
  /** Replaces all elements. @throws {ShapeError} when the length or the array type does not agree. */
  write(data: TypedArray): void;
  /** A copy of all elements, once every earlier `run` on the backend has taken effect. */
  read(): Promise<TypedArray>;
  dispose(): void;
}

export const bytesPerElement: Readonly<Record<DType, number>> = { f32: 4, i32: 4, u8: 1, i8: 1 };

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

export function byteLength(spec: TensorSpec): number {
  return elementCount(spec.shape) * bytesPerElement[spec.dtype];
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(',')}]`;
}

export function formatSpec(spec: TensorSpec): string {
  return `${spec.dtype}${formatShape(spec.shape)}`;
}

/** A new typed array of the element type. */
export function allocate(dtype: DType, length: number): TypedArray {
  switch (dtype) {
    case 'f32':
      return new Float32Array(length);
    case 'i32':
      return new Int32Array(length);
    case 'u8':
      return new Uint8Array(length);
    case 'i8':
      return new Int8Array(length);
    default:
      return dtype satisfies never;
  }
}
