import type { ReferenceKernel } from '../kernel.ts';

/** y += addend, when there is one. */
export function addInPlace(y: Float64Array, addend: Float64Array | undefined): void {
  if (addend === undefined) return;
  for (let at = 0; at < y.length; at++) y[at] = (y[at] as number) + (addend[at] as number);
}

export function reluInPlace(y: Float64Array): void {
  for (let at = 0; at < y.length; at++) y[at] = Math.max(y[at] as number, 0);
}

/** result = value·[y > 0]; `result` may be `value`. */
export function maskBySign(result: Float64Array, value: Float64Array, y: Float64Array): void {
  for (let at = 0; at < result.length; at++) result[at] = (y[at] as number) > 0 ? (value[at] as number) : 0;
}

export const relu: ReferenceKernel<'relu'> = (inputs, outputs) => {
  const y = outputs.values('y');
  y.set(inputs.values('x'));
  reluInPlace(y);
};

export const reluGrad: ReferenceKernel<'reluGrad'> = (inputs, outputs) => {
  maskBySign(outputs.values('dx'), inputs.values('dy'), inputs.values('y'));
};

export const sigmoid: ReferenceKernel<'sigmoid'> = (inputs, outputs) => {
  const x = inputs.values('x');
  const y = outputs.values('y');
  for (let at = 0; at < y.length; at++) y[at] = 1 / (1 + Math.exp(-(x[at] as number)));
};

export const sigmoidGrad: ReferenceKernel<'sigmoidGrad'> = (inputs, outputs) => {
  const dy = inputs.values('dy');
  const y = inputs.values('y');
  const dx = outputs.values('dx');
  for (let at = 0; at < dx.length; at++) dx[at] = (dy[at] as number) * (y[at] as number) * (1 - (y[at] as number));
};

export const add: ReferenceKernel<'add'> = (inputs, outputs) => {
  const y = outputs.values('y');
  y.set(inputs.values('a'));
  addInPlace(y, inputs.values('b'));
};

export const multiply: ReferenceKernel<'multiply'> = (inputs, outputs) => {
  const a = inputs.values('a');
  const b = inputs.values('b');
  const y = outputs.values('y');
  for (let at = 0; at < y.length; at++) y[at] = (a[at] as number) * (b[at] as number);
};

export const affine: ReferenceKernel<'affine'> = (inputs, outputs, { scale, offset }) => {
  const x = inputs.values('x');
  const y = outputs.values('y');
  for (let at = 0; at < y.length; at++) y[at] = scale * (x[at] as number) + offset;
};
