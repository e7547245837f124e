import type { ValueId } from '@skiplane/core';
import { blocksPerStage } from './depth.ts';
import type { NetworkBuilder } from './network-builder.ts';
import { basicLayers, basicNet, type NetOptions } from './v1.ts';

/**
 * The plain net that ResNet v1 is compared with: the same layers, without additions and projections.
 *
 * @shape x       [batch, height, width, channels]
 * @shape returns logits [batch, classes]
 * @throws {ValueError} when depth is not 6n+2
 * @source He et al. 2015, §4.2
 */
export function plainNet(net: NetworkBuilder, x: ValueId, { depth, classes }: NetOptions): ValueId {
  return basicNet(net, x, blocksPerStage('plain', depth, 6), classes, (builder, input, filters, strides) =>
    builder.activation(basicLayers(builder, input, filters, strides), 'relu', 'relu'),
  );
}
