import type { ValueId } from '@skiplane/core';
import type { NetworkBuilder } from '../network-builder.ts';
import type { Architecture, Shortcut, UnitOrder } from './architecture.ts';

/** How a unit changes the shape. */
export interface UnitShape {
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

const shortcuts: { readonly [K in Shortcut]: (net: NetworkBuilder, view: ShortcutView) => ValueId } = {
  A(net, { x, filters, strides }) {
    const subsampled = strides === 1 ? x : net.subsample(x, 'subsample', [strides, strides]);
    return channelsOf(net, x) === filters ? subsampled : net.padChannels(subsampled, 'pad', filters);
  },
  B: (net, view) => (changesShape(net, view) ? view.project() : view.x),
  C: (_net, view) => view.project(),
};

const channelsOf = (net: NetworkBuilder, x: ValueId): number => net.build.spec(x).shape.at(-1) ?? 0;

function changesShape(net: NetworkBuilder, { x, filters, strides }: ShortcutView): boolean {
  return strides !== 1 || channelsOf(net, x) !== filters;
}

/** The residual unit of each order. @shape x [batch, height, width, channels] @shape returns [batch, ⌈height/strides⌉, …] */
export const units: {
  readonly [K in UnitOrder]: (net: NetworkBuilder, x: ValueId, architecture: Architecture, shape: UnitShape) => ValueId;
} = {
  postActivation(net, x, { branch, shortcut, ...style }, { width, strides }) {
    let y = x;
    for (const [i, { kernelSize, expansion, strided }] of branch.entries()) {
      if (i > 0) y = net.activation(y, `relu${i}`, 'relu');
      const size = { filters: width * expansion, kernelSize, strides: strided ? strides : 1 };
      y = net.batchNorm(net.conv2d(y, `conv${i + 1}`, { ...size, ...convStyle(style) }), `bn${i + 1}`);
    }
    const filters = channelsOf(net, y);
    const project = (): ValueId => {
      const projected = net.conv2d(x, 'projection', { filters, kernelSize: 1, strides, ...convStyle(style) });
      return net.batchNorm(projected, 'projection-bn');
    };
    const shortcutValue = shortcuts[shortcut](net, { x, filters, strides, project });
    return net.activation(net.add(shortcutValue, y, 'add'), 'relu', 'relu');
  },

  preActivation(net, x, { branch, shortcut, ...style }, { width, strides }) {
    const activate = (value: ValueId, i: number): ValueId =>
      net.activation(net.batchNorm(value, `bn${i}`), `relu${i}`, 'relu');
    const activated = activate(x, 1);
    let y = activated;
    for (const [i, { kernelSize, expansion, strided }] of branch.entries()) {
      if (i > 0) y = activate(y, i + 1);
      const size = { filters: width * expansion, kernelSize, strides: strided ? strides : 1 };
      y = net.conv2d(y, `conv${i + 1}`, { ...size, ...convStyle(style) });
    }
    const filters = channelsOf(net, y);
    const project = (): ValueId =>
      net.conv2d(activated, 'projection', { filters, kernelSize: 1, strides, ...convStyle(style) });
    return net.add(shortcuts[shortcut](net, { x, filters, strides, project }), y, 'add');
  },
};

const convStyle = ({ padding, bias }: Pick<Architecture, 'padding' | 'bias'>) => ({ padding, bias });
