import type { ValueId } from '@skiplane/core';
import { baseFilters, blockName, classifierHead, resnetLayer, stages } from './blocks.ts';
import { blocksPerStage } from './depth.ts';
import type { NetworkBuilder } from './network-builder.ts';
import type { NetOptions } from './v1.ts';

/**
 * ResNet v2 of the example: three stages of n pre-activation bottlenecks, widths 16 → 64/128/256. Its inner widths
 * (16/64/128) are the example's, not the paper's (16/32/64).
 *
 * @shape x       [batch, height, width, channels]
 * @shape returns logits [batch, classes]
 * @throws {ValueError} when depth is not 9n+2
 * @source He et al. 2016, with the example's widths
 */
export function resnetV2(net: NetworkBuilder, x: ValueId, { depth, classes }: NetOptions): ValueId {
  const n = blocksPerStage('v2', depth, 9);
  let y = net.scope('stem', () => resnetLayer(net, x, 'conv', { filters: baseFilters }));
  let inner = baseFilters;
  for (const stage of stages) {
    const outer = inner * (stage === 0 ? 4 : 2);
    for (let index = 0; index < n; index++) {
      const input = y;
      const shape = { inner, outer, strides: stage > 0 && index === 0 ? 2 : 1, project: index === 0 };
      // The very first bottleneck follows the stem's activation directly, so it does not normalize again.
      const preActivate = stage > 0 || index > 0;
      y = net.scope(blockName(stage, index), () => bottleneck(net, input, { ...shape, preActivate }));
    }
    inner = outer;
  }
  return net.scope('head', () => {
    const normalized = net.activation(net.batchNorm(y, 'bn'), 'relu', 'relu');
    return classifierHead(net, normalized, classes);
  });
}

interface Bottleneck {
  readonly inner: number;
  readonly outer: number;
  readonly strides: number;
  readonly project: boolean;
  readonly preActivate: boolean;
}

function bottleneck(
  net: NetworkBuilder,
  x: ValueId,
  { inner, outer, strides, project, preActivate }: Bottleneck,
): ValueId {
  const first = { activation: preActivate ? 'relu' : 'none', batchNormalization: preActivate } as const;
  const one = { kernelSize: 1, convFirst: false } as const;
  let y = resnetLayer(net, x, 'conv1', { ...one, ...first, filters: inner, strides });
  y = resnetLayer(net, y, 'conv2', { filters: inner, convFirst: false });
  y = resnetLayer(net, y, 'conv3', { ...one, filters: outer });
  const shortcut = project
    ? resnetLayer(net, x, 'projection', {
        filters: outer,
        strides,
        kernelSize: 1,
        activation: 'none',
        batchNormalization: false,
      })
    : x;
  return net.add(shortcut, y, 'add');
}
