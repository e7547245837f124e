import type { Activation, ValueId } from '@skiplane/core';
import type { NetworkBuilder } from './network-builder.ts';

/** The switches of the example's `resnet_layer`. */
export interface ResnetLayerOptions {
  readonly filters?: number;
  readonly kernelSize?: number;
  readonly strides?: number;
  readonly activation?: Activation;
  readonly batchNormalization?: boolean;
  /** True: conv → batch norm → activation. False: batch norm → activation → conv. */
  readonly convFirst?: boolean;
}

/**
 * The example's layer builder: a convolution with an optional batch norm and activation, behind it or in front of it.
 *
 * @param name  the convolution's name, such as `conv1`; its batch norm is then `bn1` and its activation `relu1`
 * @shape x       [batch, height, width, inChannels]
 * @shape returns [batch, ⌈height/strides⌉, ⌈width/strides⌉, filters]
 */
export function resnetLayer(net: NetworkBuilder, x: ValueId, name: string, options: ResnetLayerOptions = {}): ValueId {
  const {
    filters = 16,
    kernelSize = 3,
    strides = 1,
    activation = 'relu',
    batchNormalization = true,
    convFirst = true,
  } = options;
  const conv = (input: ValueId): ValueId => net.conv2d(input, name, { filters, kernelSize, strides });
  const normalize = (input: ValueId): ValueId => {
    const normalized = batchNormalization ? net.batchNorm(input, siblingName(name, 'bn')) : input;
    return net.activation(normalized, siblingName(name, 'relu'), activation);
  };
  return convFirst ? normalize(conv(x)) : conv(normalize(x));
}

/** `conv1` → `bn1`; a name that does not begin with `conv` gets the kind behind it. */
function siblingName(name: string, kind: string): string {
  return name.startsWith('conv') ? name.replace('conv', kind) : `${name}-${kind}`;
}

/**
 * The end of every network here: average over all that is left of the image, then a dense layer to the classes' logits.
 *
 * @shape x       [batch, height, width, channels]
 * @shape returns [batch, classes]
 */
export function classifierHead(net: NetworkBuilder, x: ValueId, classes: number): ValueId {
  const [, height = 0, width = 0] = net.build.spec(x).shape;
  const pooled = net.averagePool2d(x, 'pool', [height, width]);
  return net.dense(net.flatten(pooled, 'flatten'), 'dense', classes);
}

/** Filters of the first stage; every later stage has twice as many. */
export const baseFilters = 16;

export const stages = [0, 1, 2] as const;

/** Scope of a block, counted from one: `stage2/block1`. */
export function blockName(stage: number, block: number): string {
  return `stage${stage + 1}/block${block + 1}`;
}
