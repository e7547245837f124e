import type { ValueId } from '@skiplane/core';
import type { ConvPadding, NetworkBuilder } from '../network-builder.ts';
import type { Junction } from './architecture.ts';

/** What meets in a unit. */
interface Meeting {
  readonly shortcut: ValueId;
  readonly branch: ValueId;
  /** The unit's input, which gates look at. */
  readonly x: ValueId;
  readonly strides: number;
  readonly padding: ConvPadding;
}

/** Adds the meeting of shortcut and branch. @shape returns like the branch */
export function join(net: NetworkBuilder, meeting: Meeting, junction: Junction): ValueId {
  const { shortcut, branch } = meeting;
  switch (junction.kind) {
    case 'add':
      return net.add(shortcut, branch, 'add');
    case 'dropout':
      return net.add(net.dropout(shortcut, 'dropout-shortcut', junction.keep), branch, 'add');
    case 'scale': {
      const scaled = net.scale(shortcut, 'scale-shortcut', junction.shortcut);
      return net.add(scaled, net.scale(branch, 'scale-branch', junction.branch), 'add');
    }
    case 'exclusiveGate':
    case 'shortcutGate': {
      const opened = gate(net, meeting, junction);
      const carried = net.multiply(net.complement(opened, 'carry'), shortcut, 'gate-shortcut');
      const kept = junction.kind === 'shortcutGate' ? branch : net.multiply(opened, branch, 'gate-branch');
      return net.add(carried, kept, 'add');
    }
    default:
      return junction satisfies never;
  }
}

function gate(
  net: NetworkBuilder,
  { x, branch, strides, padding }: Meeting,
  { kernelSize, bias }: { readonly kernelSize: number; readonly bias: number },
): ValueId {
  const filters = net.channelsOf(branch);
  return net.sigmoid(
    net.conv2d(x, 'gate', { filters, kernelSize, strides, padding, initialBias: bias }),
    'gate-sigmoid',
  );
}
