import { rank2 } from '../../ops/infer.ts';
import type { Operand, ReferenceKernel } from '../kernel.ts';

/** Row n of a matrix, as a view. */
export function row(matrix: Operand, n: number): Float64Array {
  const [, columns] = rank2(matrix, 'matrix', 'batch,classes');
  return matrix.values.subarray(n * columns, (n + 1) * columns);
}

export const rowsOf = (matrix: Operand): number => rank2(matrix, 'matrix', 'batch,classes')[0];

export const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

/** Σ a·b */
export const dot = (a: Float64Array, b: Float64Array): number =>
  a.reduce((total, value, k) => total + value * (b[k] as number), 0);

/** The largest element and log Σ e^(x − largest). */
export function logSumExp(x: Float64Array): { largest: number; logSum: number } {
  const largest = Math.max(...x);
  return { largest, logSum: Math.log(sum(x.map((value) => Math.exp(value - largest)))) };
}

export function softmaxOf(x: Float64Array): Float64Array {
  const largest = Math.max(...x);
  const exponentials = x.map((value) => Math.exp(value - largest));
  const total = sum(exponentials);
  return exponentials.map((value) => value / total);
}

export const softmax: ReferenceKernel<'softmax'> = (inputs, outputs) => {
  const x = inputs.get('x');
  const y = outputs.get('y');
  for (let n = 0; n < rowsOf(x); n++) row(y, n).set(softmaxOf(row(x, n)));
};

export const softmaxGrad: ReferenceKernel<'softmaxGrad'> = (inputs, outputs) => {
  const dx = outputs.get('dx');
  for (let n = 0; n < rowsOf(dx); n++) {
    const dy = row(inputs.get('dy'), n);
    const y = row(inputs.get('y'), n);
    const mean = dot(dy, y);
    row(dx, n).set(y.map((value, k) => value * ((dy[k] as number) - mean)));
  }
};

/** (1 − labelSmoothing)·label + labelSmoothing/classes */
export const smoothed = (labels: Float64Array, labelSmoothing: number): Float64Array =>
  labels.map((label) => (1 - labelSmoothing) * label + labelSmoothing / labels.length);

export const softmaxCrossEntropy: ReferenceKernel<'softmaxCrossEntropy'> = (inputs, outputs, { labelSmoothing }) => {
  const losses = outputs.values('losses');
  for (let n = 0; n < losses.length; n++) {
    const logits = row(inputs.get('logits'), n);
    const { largest, logSum } = logSumExp(logits);
    losses[n] = dot(
      smoothed(row(inputs.get('labels'), n), labelSmoothing),
      logits.map((logit) => largest - logit + logSum),
    );
  }
};

export const softmaxCrossEntropyGrad: ReferenceKernel<'softmaxCrossEntropyGrad'> = (
  inputs,
  outputs,
  { labelSmoothing },
) => {
  const dLosses = inputs.values('dLosses');
  const dLogits = outputs.get('dLogits');
  for (let n = 0; n < dLosses.length; n++) {
    const labels = smoothed(row(inputs.get('labels'), n), labelSmoothing);
    const weight = sum(labels);
    const probabilities = softmaxOf(row(inputs.get('logits'), n));
    row(dLogits, n).set(probabilities.map((p, k) => (dLosses[n] as number) * (p * weight - (labels[k] as number))));
  }
};

export const topKCorrect: ReferenceKernel<'topKCorrect'> = (inputs, outputs, { k }) => {
  const correct = outputs.values('correct');
  for (let n = 0; n < correct.length; n++) {
    const logits = row(inputs.get('logits'), n);
    const labels = row(inputs.get('labels'), n);
    const target = labels.indexOf(Math.max(...labels));
    const own = logits[target] as number;
    const ahead = logits.filter((logit, j) => logit > own || (logit === own && j < target)).length;
    correct[n] = ahead < k && !logits.some(Number.isNaN) ? 1 : 0;
  }
};
