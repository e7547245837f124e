import type { ReferenceKernel } from '../kernel.ts';

/** A view: the output is the input's memory. */
export const reshape: ReferenceKernel<'reshape'> = () => undefined;

export const fill: ReferenceKernel<'fill'> = (_inputs, outputs, { value }) => {
  outputs.values('y').fill(value);
};

export const broadcastScalar: ReferenceKernel<'broadcastScalar'> = (inputs, outputs) => {
  outputs.values('y').fill(inputs.values('x')[0] as number);
};

export const reduceSum: ReferenceKernel<'reduceSum'> = (inputs, outputs) => {
  outputs.values('y')[0] = inputs.values('x').reduce((sum, value) => sum + value, 0);
};

export const l2Penalty: ReferenceKernel<'l2Penalty'> = (inputs, outputs, { scale }) => {
  outputs.values('y')[0] = scale * inputs.values('w').reduce((sum, value) => sum + value * value, 0);
};

export const l2PenaltyGrad: ReferenceKernel<'l2PenaltyGrad'> = (inputs, outputs, { scale }) => {
  const w = inputs.values('w');
  const dw = outputs.values('dw');
  const factor = 2 * scale * (inputs.values('dy')[0] as number);
  for (let at = 0; at < dw.length; at++) dw[at] = factor * (w[at] as number);
};
