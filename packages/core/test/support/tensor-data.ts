import { elementCount, randomStream, uniforms, type DType } from '../../src/index.ts';

/** Shape and elements of an operand, not rounded. */
export interface TensorData {
  readonly shape: readonly number[];
  /** Default f32. */
  readonly dtype?: DType;
  readonly data: ArrayLike<number>;
}

export function tensor(shape: readonly number[], ...data: readonly number[]): TensorData {
  if (data.length !== elementCount(shape))
    throw new RangeError(`[${shape.join(',')}] does not hold ${data.length} elements`);
  return { shape, data };
}

export const scalar = (value: number): TensorData => tensor([], value);

/** Elements uniform in [low, high), the same for the same name. */
export function randomTensor(shape: readonly number[], name: string, low = -1, high = 1): TensorData {
  const draws = uniforms(randomStream(7, name), elementCount(shape));
  return { shape, data: draws.map((u) => low + u * (high - low)) };
}
