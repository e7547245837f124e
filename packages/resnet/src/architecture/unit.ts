import type { ValueId } from '@skiplane/core';
import type { NetworkBuilder } from '../network-builder.ts';
import type { Architecture, Shortcut } from './architecture.ts';
import { join } from './junction.ts';
import { addSteps, orderOf } from './orders.ts';

/** How a unit changes the shape. */
interface UnitShape {
  readonly width: number;
  readonly strides: number;
}

interface ShortcutView {
  readonly x: ValueId;
  readonly filters: number;
  readonly strides: number;
  /** Adds a projection to the shape of the branch. */
  readonly project: () => ValueId;
}

/** Null where the unit is plain. */
const shortcuts: { readonly [K in Shortcut]: (net: NetworkBuilder, view: ShortcutView) => ValueId | null } = {
  A(net, { x, filters, strides }) {
    const subsampled = strides === 1 ? x : net.subsample(x, 'subsample', [strides, strides]);
    return net.channelsOf(x) === filters ? subsampled : net.padChannels(subsampled, 'pad', filters);
  },
  B: (net, view) => (changesShape(net, view) ? view.project() : view.x),
  C: (_net, view) => view.project(),
  unchanged: (net, view) => (changesShape(net, view) ? null : view.x),
  none: () => null,
};

function changesShape(net: NetworkBuilder, { x, filters, strides }: ShortcutView): boolean {
  return strides !== 1 || net.channelsOf(x) !== filters;
}

/** A residual unit. @shape x [batch, height, width, channels] @shape returns [batch, ⌈height/strides⌉, …] */
export function unit(
  net: NetworkBuilder,
  x: ValueId,
  architecture: Architecture,
  { width, strides }: UnitShape,
): ValueId {
  const { branch, shortcut, padding, bias, junction = { kind: 'add' } } = architecture;
  const { first, between, last, joined } = orderOf(architecture);
  const counts = { bn: 0, relu: 0 };
  const numbered = (step: 'bn' | 'relu'): string => `${step}${++counts[step]}`;
  const activated = addSteps(net, x, first, numbered);
  let y = activated;
  for (const [i, { kernelSize, expansion, strided }] of branch.entries()) {
    const size = { filters: width * expansion, kernelSize, strides: strided ? strides : 1 };
    y = net.conv2d(y, `conv${i + 1}`, { ...size, padding, bias });
    y = addSteps(net, y, i < branch.length - 1 ? between : last, numbered);
  }
  const filters = net.channelsOf(y);
  const project = (): ValueId => {
    const projected = net.conv2d(activated, 'projection', { filters, kernelSize: 1, strides, padding, bias });
    return last.includes('bn') ? net.batchNorm(projected, 'projection-bn') : projected;
  };
  const carried = shortcuts[shortcut](net, { x, filters, strides, project });
  const sum = carried === null ? y : join(net, { shortcut: carried, branch: y, x, strides, padding }, junction);
  return addSteps(net, sum, joined);
}
