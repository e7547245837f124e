import type { ReferenceKernel } from '../kernel.ts';
import { addInPlace, reluInPlace } from './elementwise.ts';

/** The mean over all positions of `term(x, channel)`, for each channel. */
function channelMeans(x: Float64Array, channels: number, term: (value: number, c: number) => number): Float64Array {
  const means = new Float64Array(channels);
  for (let at = 0; at < x.length; at++) {
    const c = at % channels;
    means[c] = (means[c] as number) + term(x[at] as number, c);
  }
  return means.map((sum) => (sum * channels) / x.length);
}

/** Batch mean and biased variance, in two passes. */
export function statistics(x: Float64Array, channels: number): { mean: Float64Array; variance: Float64Array } {
  const mean = channelMeans(x, channels, (value) => value);
  return { mean, variance: channelMeans(x, channels, (value, c) => (value - (mean[c] as number)) ** 2) };
}

/** What the batch variance is multiplied by before it enters the moving variance; 1 for a single position, as in TensorFlow. */
export function varianceCorrection(movingVariance: 'biased' | 'unbiased', positions: number): number {
  return movingVariance === 'unbiased' ? positions / Math.max(positions - 1, 1) : 1;
}

/** moving ← momentum·moving + (1 − momentum)·statistic */
export function updateMoving(
  result: Float64Array,
  moving: Float64Array,
  statistic: Float64Array,
  momentum: number,
): void {
  for (let c = 0; c < result.length; c++) {
    result[c] = momentum * (moving[c] as number) + (1 - momentum) * (statistic[c] as number);
  }
}

export const inverseStdOf = (variance: Float64Array, epsilon: number): Float64Array =>
  variance.map((value) => 1 / Math.sqrt(value + epsilon));

interface Affine {
  readonly mean: Float64Array;
  readonly inverseStd: Float64Array;
  readonly gamma: Float64Array;
  readonly beta: Float64Array;
}

/** y = gamma·(x − mean)·inverseStd + beta */
function normalize(y: Float64Array, x: Float64Array, { mean, inverseStd, gamma, beta }: Affine): void {
  for (let at = 0; at < y.length; at++) {
    const c = at % gamma.length;
    const normalized = ((x[at] as number) - (mean[c] as number)) * (inverseStd[c] as number);
    y[at] = (gamma[c] as number) * normalized + (beta[c] as number);
  }
}

export const batchNormTraining: ReferenceKernel<'batchNormTraining'> = (inputs, outputs, attrs) => {
  const x = inputs.values('x');
  const gamma = inputs.values('gamma');
  const channels = gamma.length;
  const { mean, variance } = statistics(x, channels);
  const inverseStd = inverseStdOf(variance, attrs.epsilon);
  const y = outputs.values('y');
  normalize(y, x, { mean, inverseStd, gamma, beta: inputs.values('beta') });
  addInPlace(y, inputs.optional('residual'));
  if (attrs.activation === 'relu') reluInPlace(y);
  outputs.values('mean').set(mean);
  outputs.values('inverseStd').set(inverseStd);
  const correction = varianceCorrection(attrs.movingVariance, x.length / channels);
  updateMoving(outputs.values('movingMean'), inputs.values('movingMean'), mean, attrs.momentum);
  updateMoving(
    outputs.values('movingVariance'),
    inputs.values('movingVariance'),
    variance.map((value) => value * correction),
    attrs.momentum,
  );
};

export const batchNormRecompute: ReferenceKernel<'batchNormRecompute'> = (inputs, outputs, { epsilon, activation }) => {
  const x = inputs.values('x');
  const gamma = inputs.values('gamma');
  const { mean, variance } = statistics(x, gamma.length);
  const y = outputs.values('y');
  normalize(y, x, { mean, inverseStd: inverseStdOf(variance, epsilon), gamma, beta: inputs.values('beta') });
  addInPlace(y, inputs.optional('residual'));
  if (activation === 'relu') reluInPlace(y);
};

export const batchNormInference: ReferenceKernel<'batchNormInference'> = (inputs, outputs, { epsilon, activation }) => {
  const y = outputs.values('y');
  normalize(y, inputs.values('x'), {
    mean: inputs.values('mean'),
    inverseStd: inverseStdOf(inputs.values('variance'), epsilon),
    gamma: inputs.values('gamma'),
    beta: inputs.values('beta'),
  });
  addInPlace(y, inputs.optional('residual'));
  if (activation === 'relu') reluInPlace(y);
};

export const batchNormGrad: ReferenceKernel<'batchNormGrad'> = (inputs, outputs) => {
  const dy = inputs.values('dy');
  const x = inputs.values('x');
  const gamma = inputs.values('gamma');
  const mean = inputs.values('mean');
  const inverseStd = inputs.values('inverseStd');
  const dx = outputs.values('dx');
  const dGamma = outputs.values('dGamma').fill(0);
  const dBeta = outputs.values('dBeta').fill(0);
  const channels = gamma.length;
  const positions = x.length / channels;
  const normalized = (at: number, c: number): number =>
    ((x[at] as number) - (mean[c] as number)) * (inverseStd[c] as number);
  for (let at = 0; at < x.length; at++) {
    const c = at % channels;
    dBeta[c] = (dBeta[c] as number) + (dy[at] as number);
    dGamma[c] = (dGamma[c] as number) + (dy[at] as number) * normalized(at, c);
  }
  for (let at = 0; at < x.length; at++) {
    const c = at % channels;
    const centred =
      (dy[at] as number) - (dBeta[c] as number) / positions - (normalized(at, c) * (dGamma[c] as number)) / positions;
    dx[at] = (gamma[c] as number) * (inverseStd[c] as number) * centred;
  }
  addInPlace(dx, inputs.optional('residual'));
};
