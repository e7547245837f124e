import type { ValueId } from '@skiplane/core';
import { baseFilters, blockName, classifierHead, resnetLayer, stages } from './blocks.ts';
import { blocksPerStage } from './depth.ts';
import type { NetworkBuilder } from './network-builder.ts';

export interface NetOptions {
  readonly depth: number;
  readonly classes: number;
}

/**
 * ResNet v1 of the example: three stages of n basic blocks with 16, 32 and 64 filters, a projection where the shape changes.
 *
 * @shape x       [batch, height, width, channels]
 * @shape returns logits [batch, classes]
 * @throws {ValueError} when depth is not 6n+2
 * @source He et al. 2015, §4.2, with the example's 1×1 projections
 */
export function resnetV1(net: NetworkBuilder, x: ValueId, { depth, classes }: NetOptions): ValueId {
  return basicNet(net, x, blocksPerStage('v1', depth, 6), classes, residualBlock);
}

export type BasicBlock = (net: NetworkBuilder, x: ValueId, filters: number, strides: number) => ValueId;

/** Stem, three stages of n blocks, head; the first block of the second and third stage halves the image. */
export function basicNet(net: NetworkBuilder, x: ValueId, n: number, classes: number, block: BasicBlock): ValueId {
  let y = net.scope('stem', () => resnetLayer(net, x, 'conv', { filters: baseFilters }));
  for (const stage of stages) {
    for (let index = 0; index < n; index++) {
      const strides = stage > 0 && index === 0 ? 2 : 1;
      const input = y;
      y = net.scope(blockName(stage, index), () => block(net, input, baseFilters * 2 ** stage, strides));
    }
  }
  return net.scope('head', () => classifierHead(net, y, classes));
}

/** The two layers of a basic block, without the activation behind them. */
export function basicLayers(net: NetworkBuilder, x: ValueId, filters: number, strides: number): ValueId {
  const y = resnetLayer(net, x, 'conv1', { filters, strides });
  return resnetLayer(net, y, 'conv2', { filters, activation: 'none' });
}

/** relu(x + layers(x)), x projected by a 1×1 convolution where the shape changes. */
function residualBlock(net: NetworkBuilder, x: ValueId, filters: number, strides: number): ValueId {
  const y = basicLayers(net, x, filters, strides);
  const shortcut =
    strides === 1
      ? x
      : resnetLayer(net, x, 'projection', {
          filters,
          strides,
          kernelSize: 1,
          activation: 'none',
          batchNormalization: false,
        });
  return net.activation(net.add(shortcut, y, 'add'), 'relu', 'relu');
}
