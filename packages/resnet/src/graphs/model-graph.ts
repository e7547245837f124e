import { transformLength, type Graph, type InterpolationOrder, type ValueId } from '@skiplane/core';
import { familyOf } from '../families/index.ts';
import { addLayers } from '../layer-graph/add-layers.ts';
import { isLayerGraph, type Model, type ModelShape } from '../model.ts';
import type { Layer, NetworkBuilder, NetworkOptions } from '../network-builder.ts';
import type { ParameterSpec } from '../parameters.ts';
import type { BatchNormSettings } from '../recipe/keras-constants.ts';

/** A graph of a model, and what the model put into it. */
export interface ModelGraph {
  readonly graph: Graph;
  /** In the order of the layers. */
  readonly parameters: readonly ParameterSpec[];
  readonly layers: readonly Layer[];
}

/** Adds the network of a model. @shape x [batch, height, width, channels] @shape returns logits [batch, classes] */
export function addNetwork(net: NetworkBuilder, x: ValueId, model: Model): ValueId {
  return isLayerGraph(model) ? addLayers(net, x, model) : familyOf(model.family).build(net, x, model);
}

/** A data set on the device, out of which a graph gathers its batch: see core's `gatherImages`. */
export interface GatheredImages {
  /** Images of the data set. */
  readonly count: number;
  /** Whether they are shifted and flipped. */
  readonly transformed: boolean;
  readonly interpolationOrder: InterpolationOrder;
}

/**
 * A batch of images, [batch, height, width, channels], normalized: the input `x`, or gathered from a data set.
 *
 * @shape images      u8 [count, height, width, channels], an input in place of `x`, as are those below
 * @shape pixelValues [256]
 * @shape meanImage   [height, width, channels]
 * @shape indices     i32 [batch]
 * @shape transforms  [batch, 7], when `transformed`
 */
export function addImages(
  { build }: NetworkBuilder,
  { imageSize, channels }: ModelShape,
  batch: number,
  gathered?: GatheredImages,
): ValueId {
  if (gathered === undefined) return build.input('x', { shape: [batch, ...imageSize, channels], dtype: 'f32' });
  const { count, transformed, interpolationOrder } = gathered;
  const operands = [
    build.input('images', { shape: [count, ...imageSize, channels], dtype: 'u8' }),
    build.input('pixelValues', { shape: [256], dtype: 'f32' }),
    build.input('meanImage', { shape: [...imageSize, channels], dtype: 'f32' }),
    build.input('indices', { shape: [batch], dtype: 'i32' }),
  ];
  if (transformed) operands.push(build.input('transforms', { shape: [batch, transformLength], dtype: 'f32' }));
  return build.op('gatherImages', operands, { transformed, interpolationOrder }, 'images');
}

/** The input `labels`: [batch, classes], one-hot. */
export function addLabels(net: NetworkBuilder, { classes }: ModelShape, batch: number): ValueId {
  return net.build.input('labels', { shape: [batch, classes], dtype: 'f32' });
}

/** How a model's network is built to be used, not trained. */
export function inferenceOptions(model: Model): NetworkOptions {
  return { mode: 'inference', batchNorm: ownBatchNorm(model) };
}

/** What a model itself says of its batch norms; a graph of layers says it layer by layer. */
export function ownBatchNorm(model: Model): Partial<BatchNormSettings> {
  return isLayerGraph(model) || model.batchNormEpsilon === undefined ? {} : { epsilon: model.batchNormEpsilon };
}
