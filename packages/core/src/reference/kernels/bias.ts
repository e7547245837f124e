import type { ReferenceKernel } from '../kernel.ts';

/** y[…,c] += bias[c] */
export function addBias(y: Float64Array, bias: Float64Array): void {
  for (let at = 0; at < y.length; at++) y[at] = (y[at] as number) + (bias[at % bias.length] as number);
}

export const biasAdd: ReferenceKernel<'biasAdd'> = (inputs, outputs) => {
  const y = outputs.values('y');
  y.set(inputs.values('x'));
  addBias(y, inputs.values('bias'));
};

export const biasAddGrad: ReferenceKernel<'biasAddGrad'> = (inputs, outputs) => {
  const dy = inputs.values('dy');
  const dBias = outputs.values('dBias');
  dBias.fill(0);
  for (let at = 0; at < dy.length; at++) {
    const c = at % dBias.length;
    dBias[c] = (dBias[c] as number) + (dy[at] as number);
  }
};
