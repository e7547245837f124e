import type { ValueId } from '@skiplane/core';
import { blockName, classifierHead } from '../blocks.ts';
import type { NetworkBuilder } from '../network-builder.ts';
import type { Architecture } from './architecture.ts';
import { addSteps, orderOf } from './orders.ts';
import { unit } from './unit.ts';

/**
 * The layers of an architecture: `stem/conv` …, `stage1/block1/conv1` …, `head/dense`.
 *
 * @shape x       [batch, height, width, channels]
 * @shape returns logits [batch, classes]
 */
export function residualNet(
  net: NetworkBuilder,
  x: ValueId,
  architecture: Architecture,
  { classes }: { readonly classes: number },
): ValueId {
  let y = net.scope('stem', () => stem(net, x, architecture));
  for (const [stage, { units: count, width, strides }] of architecture.stages.entries()) {
    for (let index = 0; index < count; index++) {
      const input = y;
      const shape = { width, strides: index === 0 ? strides : 1 };
      y = net.scope(blockName(stage, index), () => unit(net, input, architecture, shape));
    }
  }
  return net.scope('head', () => {
    const { end } = orderOf(architecture);
    return classifierHead(net, addSteps(net, y, end), classes);
  });
}

/** A pre-activation net leaves normalizing to its first unit. */
function stem(net: NetworkBuilder, x: ValueId, architecture: Architecture): ValueId {
  const { stem: sizes, padding, bias } = architecture;
  const { pool, ...conv } = sizes;
  const y = addSteps(net, net.conv2d(x, 'conv', { ...conv, padding, bias }), orderOf(architecture).stem);
  return pool ? net.maxPool2d(y, 'pool', { size: 3, strides: 2, padding }) : y;
}
