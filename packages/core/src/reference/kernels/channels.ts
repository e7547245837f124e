import type { Operand, Operands, ReferenceKernel } from '../kernel.ts';

const channelsOf = ({ shape }: Operand): number => shape.at(-1) ?? 1;

/** y[…, c] = x[…, c + shift] where x has that channel, else 0. */
function shiftChannels(inputs: Operands, outputs: Operands, shift: number): void {
  const x = inputs.get('x');
  const y = outputs.get('y');
  const [inChannels, outChannels] = [channelsOf(x), channelsOf(y)];
  for (let at = 0; at < y.values.length; at++) {
    const position = Math.floor(at / outChannels);
    const from = (at % outChannels) + shift;
    y.values[at] = from >= 0 && from < inChannels ? (x.values[position * inChannels + from] as number) : 0;
  }
}

export const padChannels: ReferenceKernel<'padChannels'> = (inputs, outputs, { before }) =>
  shiftChannels(inputs, outputs, -before);

export const sliceChannels: ReferenceKernel<'sliceChannels'> = (inputs, outputs, { first }) =>
  shiftChannels(inputs, outputs, first);
