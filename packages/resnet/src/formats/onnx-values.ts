import type { NetworkAssembler } from './network-assembler.ts';
import type { FileTensor } from './model-file.ts';

/**
 * What an ONNX value is here: a layer whose ONNX axes are NCHW, NHWC, or [batch, features]; or a constant. Features that were
 * an image channel by channel remember it (`image`, [height, width, channels]), since here they are pixel by pixel.
 */
export interface LayerValue {
  readonly layer: string;
  readonly layout: 'nchw' | 'nhwc' | 'features';
  readonly image?: readonly number[];
}

export type OnnxValue = LayerValue | { readonly constant: FileTensor };

export function isLayer(value: OnnxValue): value is LayerValue {
  return 'layer' in value;
}

/** The shape as ONNX sees it, of a batch of 1. */
export function onnxShape(net: NetworkAssembler, { layer, layout }: LayerValue): readonly number[] {
  const shape = net.shape(layer);
  const [height = 1, width = 1, channels = 1] = shape;
  return layout === 'nchw' ? [1, channels, height, width] : [1, ...shape];
}

/** Why a node cannot be represented. */
export class Unrepresentable extends Error {
  override readonly name = 'Unrepresentable';
}

/** A tensor of numbers that are known, such as the shape of a `Reshape`. */
export function constantOf(
  name: string,
  shape: readonly number[],
  values: ArrayLike<number>,
): { constant: FileTensor } {
  const data = Float32Array.from(values);
  return { constant: { name, shape, dtype: 'float32', read: () => data } };
}
