import {
  ceilDiv,
  elementsPerTask,
  record,
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
  const { rows, channels: inChannels } = rowsAndChannels(spec(inputs, 0));
  const { channels: outChannels } = rowsAndChannels(spec(outputs, 0));
  const rowsPerTask = Math.max(1, Math.floor(elementsPerTask / outChannels));
  const sizes = { rows, inChannels, outChannels, shift, rowsPerTask };
  return single(kernel, (at) => [
    record('shiftChannels', ceilDiv(rows, rowsPerTask), { x: at.input(0), y: at.output(0), ...sizes }),
  ]);
}

export const padChannels: Lower<'padChannels'> = (op) => shifted('padChannels', op, -op.attrs.before);

export const sliceChannels: Lower<'sliceChannels'> = (op) => shifted('sliceChannels', op, op.attrs.first);
