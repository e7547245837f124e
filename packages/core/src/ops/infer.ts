import { GraphError, ShapeError } from '../errors.ts';
import { formatShape, formatSpec, sameShape, type DType, type TensorSpec } from '../tensor.ts';
import type { OpKind, Padding2d, Window2d } from './attrs.ts';

/** Checks shared by the `infer` of several ops. Messages leave out kind and label: the builder puts them in front. */

export type Shape4 = readonly [number, number, number, number];

export function f32(shape: readonly number[]): TensorSpec {
  return { shape, dtype: 'f32' };
}

/** The operand at `index`, which must be of the element type. */
export function operand(inputs: readonly TensorSpec[], index: number, name: string, dtype: DType = 'f32'): TensorSpec {
  const spec = inputs[index];
  if (spec === undefined) throw new ShapeError(`operand ${index} '${name}' is missing`);
  if (spec.dtype !== dtype) throw new ShapeError(`${name} must be ${dtype}, but is ${formatSpec(spec)}`);
  return spec;
}

/** The operand's shape as four sizes, such as [batch, height, width, channels]. */
export function rank4(spec: TensorSpec, name: string, axes: string): Shape4 {
  const [a, b, c, d] = spec.shape;
  if (spec.shape.length !== 4 || a === undefined || b === undefined || c === undefined || d === undefined) {
    throw new ShapeError(`${name} must be [${axes}], but is ${formatShape(spec.shape)}`);
  }
  return [a, b, c, d];
}

export const nhwc = 'batch,height,width,channels';

export function rank2(spec: TensorSpec, name: string, axes: string): readonly [number, number] {
  const [a, b] = spec.shape;
  if (spec.shape.length !== 2 || a === undefined || b === undefined) {
    throw new ShapeError(`${name} must be [${axes}], but is ${formatShape(spec.shape)}`);
  }
  return [a, b];
}

export function expectShape(spec: TensorSpec, name: string, shape: readonly number[], because: string): void {
  if (!sameShape(spec.shape, shape)) {
    throw new ShapeError(`${name} must be ${formatShape(shape)} ${because}, but is ${formatShape(spec.shape)}`);
  }
}

export function channelsOf(spec: TensorSpec, name: string): number {
  const channels = spec.shape.at(-1);
  if (channels === undefined) throw new ShapeError(`${name} must have a channel axis, but is a scalar`);
  return channels;
}

/** Output size of a window along both axes: floor((size + padding − window) / stride) + 1. */
export function windowOutput(
  size: readonly [number, number],
  window: readonly [number, number],
  { strides, padding }: Window2d,
): readonly [number, number] {
  const out = (axis: 0 | 1, pad: number, name: string): number => {
    const stride = strides[axis];
    if (!Number.isInteger(stride) || stride < 1)
      throw new ShapeError(`stride ${stride} along ${name} must be 1 or more`);
    const padded = size[axis] + pad;
    if (padded < window[axis]) {
      throw new ShapeError(
        `a window of ${window[axis]} does not fit a padded ${name} of ${padded} (${size[axis]} + ${pad})`,
      );
    }
    return Math.floor((padded - window[axis]) / stride) + 1;
  };
  for (const [side, pad] of Object.entries(padding) as [keyof Padding2d, number][]) {
    if (!Number.isInteger(pad) || pad < 0) throw new ShapeError(`padding ${side} of ${pad} must be 0 or more`);
  }
  return [out(0, padding.top + padding.bottom, 'height'), out(1, padding.left + padding.right, 'width')];
}

/** The vjp of an op whose derivative nobody asks for: the gradient ops themselves, metrics and updates. */
export function notDifferentiable(kind: OpKind): () => never {
  return () => {
    throw new GraphError(`'${kind}' has no gradient: only the forward ops of a network are differentiable`, { kind });
  };
}
