import { elementCount } from '@skiplane/core';
import {
  ceilDiv,
  fold,
  input,
  output,
  rowsAndChannels,
  single,
  spec,
  type Lower,
  type Lowering,
  type OpView,
} from './lowering.ts';

type ShiftOp = 'padChannels' | 'sliceChannels';

/** y[…, c] = x[…, c + shift] where x has that channel, else 0. */
function shifted(kernel: ShiftOp, { inputs, outputs }: OpView<ShiftOp>, shift: number): Lowering {
  const y = spec(outputs, 0);
  const count = elementCount(y.shape);
  return single(kernel, {
    shader: 'shift-channels',
    constants: {
      count,
      inChannels: rowsAndChannels(spec(inputs, 0)).channels,
      outChannels: rowsAndChannels(y).channels,
      shift,
    },
    bindings: [input(0), output(0)],
    workgroups: fold(ceilDiv(count, 64)),
  });
}

export const padChannels: Lower<'padChannels'> = (op) => shifted('padChannels', op, -op.attrs.before);

export const sliceChannels: Lower<'sliceChannels'> = (op) => shifted('sliceChannels', op, op.attrs.first);
