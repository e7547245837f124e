import type { Graph, ValueId } from '@skiplane/core';
import type { ModelConfig } from '../config.ts';
import type { Layer, NetworkBuilder, NetworkOptions } from '../network-builder.ts';
import type { ParameterSpec } from '../parameters.ts';
import { plainNet } from '../plain.ts';
import { resnetV1 } from '../v1.ts';
import { resnetV2 } from '../v2.ts';

/** A graph of a model, and what the model put into it. */
export interface ModelGraph {
  readonly graph: Graph;
  /** In the order of the layers. */
  readonly parameters: readonly ParameterSpec[];
  readonly layers: readonly Layer[];
}

const families = { v1: resnetV1, v2: resnetV2, plain: plainNet } as const;

/** Adds the network of a configuration. @shape x [batch, height, width, channels] @shape returns logits [batch, classes] */
export function addNetwork(net: NetworkBuilder, x: ValueId, config: ModelConfig): ValueId {
  return families[config.family](net, x, config);
}

/** The input `x` of a batch of images: [batch, height, width, channels], normalized. */
export function addImages(net: NetworkBuilder, { imageSize, channels }: ModelConfig, batch: number): ValueId {
  return net.build.input('x', { shape: [batch, ...imageSize, channels], dtype: 'f32' });
}

/** The input `labels`: [batch, classes], one-hot. */
export function addLabels(net: NetworkBuilder, { classes }: ModelConfig, batch: number): ValueId {
  return net.build.input('labels', { shape: [batch, classes], dtype: 'f32' });
}

/** How a configuration's network is built to be used, not trained. */
export function inferenceOptions({ batchNormEpsilon }: ModelConfig): NetworkOptions {
  return { mode: 'inference', ...(batchNormEpsilon !== undefined && { batchNorm: { epsilon: batchNormEpsilon } }) };
}
