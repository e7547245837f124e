import type { ReferenceKernel } from '../kernel.ts';
import { inverseStdOf, statistics, updateMoving, varianceCorrection } from './batch-norm.ts';
import { guarded } from './guarded.ts';
import { dot, logSumExp, row, rowsOf, smoothed, softmaxOf, sum } from './loss.ts';

/** Sums of absolute terms of the ops whose formulas subtract: see `magnitudeKernels`. */

const absolute = (values: Float64Array): Float64Array => values.map(Math.abs);

function addMagnitudes(y: Float64Array, addend: Float64Array | undefined): void {
  if (addend === undefined) return;
  for (let at = 0; at < y.length; at++) y[at] = (y[at] as number) + Math.abs(addend[at] as number);
}

/** (|x| + |mean|)·inverseStd */
function normalizedMagnitude(x: Float64Array, mean: Float64Array, inverseStd: Float64Array): Float64Array {
  return x.map((value, at) => {
    const c = at % mean.length;
    return (Math.abs(value) + Math.abs(mean[c] as number)) * (inverseStd[c] as number);
  });
}

/** y = |gamma|·normalized + |beta| */
function scaleAndShift(y: Float64Array, normalized: Float64Array, gamma: Float64Array, beta: Float64Array): void {
  for (let at = 0; at < y.length; at++) {
    const c = at % gamma.length;
    y[at] = Math.abs(gamma[c] as number) * (normalized[at] as number) + Math.abs(beta[c] as number);
  }
}

export const batchNormTraining: ReferenceKernel<'batchNormTraining'> = (inputs, outputs, attrs) => {
  const x = inputs.values('x');
  const gamma = inputs.values('gamma');
  const channels = gamma.length;
  const { mean, variance } = statistics(x, channels);
  const inverseStd = inverseStdOf(variance, attrs.epsilon);
  const y = outputs.values('y');
  scaleAndShift(y, normalizedMagnitude(x, mean, inverseStd), gamma, inputs.values('beta'));
  addMagnitudes(y, inputs.optional('residual'));
  const meanMagnitude = statistics(absolute(x), channels).mean;
  const squares = x.map((value, at) => (Math.abs(value) + Math.abs(mean[at % channels] as number)) ** 2);
  const correction = varianceCorrection(attrs.movingVariance, x.length / channels);
  const varianceMagnitude = statistics(squares, channels).mean.map((value) => value * correction);
  outputs.values('mean').set(meanMagnitude);
  outputs.values('inverseStd').set(inverseStd);
  updateMoving(outputs.values('movingMean'), absolute(inputs.values('movingMean')), meanMagnitude, attrs.momentum);
  updateMoving(
    outputs.values('movingVariance'),
    absolute(inputs.values('movingVariance')),
    varianceMagnitude,
    attrs.momentum,
  );
};

export const batchNormRecompute: ReferenceKernel<'batchNormRecompute'> = (inputs, outputs, { epsilon }) => {
  const x = inputs.values('x');
  const gamma = inputs.values('gamma');
  const { mean, variance } = statistics(x, gamma.length);
  const y = outputs.values('y');
  const normalized = normalizedMagnitude(x, mean, inverseStdOf(variance, epsilon));
  scaleAndShift(y, normalized, gamma, inputs.values('beta'));
  addMagnitudes(y, inputs.optional('residual'));
};

export const batchNormInference: ReferenceKernel<'batchNormInference'> = (inputs, outputs, { epsilon }) => {
  const y = outputs.values('y');
  const inverseStd = inverseStdOf(inputs.values('variance'), epsilon);
  const normalized = normalizedMagnitude(inputs.values('x'), inputs.values('mean'), inverseStd);
  scaleAndShift(y, normalized, inputs.values('gamma'), inputs.values('beta'));
  addMagnitudes(y, inputs.optional('residual'));
};

export const batchNormGrad: ReferenceKernel<'batchNormGrad'> = (inputs, outputs) => {
  const dy = absolute(inputs.values('dy'));
  const gamma = inputs.values('gamma');
  const inverseStd = inputs.values('inverseStd');
  const normalized = normalizedMagnitude(inputs.values('x'), inputs.values('mean'), inverseStd);
  const dx = outputs.values('dx');
  const dGamma = outputs.values('dGamma').fill(0);
  const dBeta = outputs.values('dBeta').fill(0);
  const channels = gamma.length;
  const positions = dy.length / channels;
  for (let at = 0; at < dy.length; at++) {
    const c = at % channels;
    dBeta[c] = (dBeta[c] as number) + (dy[at] as number);
    dGamma[c] = (dGamma[c] as number) + (dy[at] as number) * (normalized[at] as number);
  }
  for (let at = 0; at < dy.length; at++) {
    const c = at % channels;
    const means = ((dBeta[c] as number) + (normalized[at] as number) * (dGamma[c] as number)) / positions;
    dx[at] = Math.abs(gamma[c] as number) * (inverseStd[c] as number) * ((dy[at] as number) + means);
  }
  addMagnitudes(dx, inputs.optional('residual'));
};

/** |dy|·y·(1 + y) */
export const sigmoidGrad: ReferenceKernel<'sigmoidGrad'> = (inputs, outputs) => {
  const y = absolute(inputs.values('y'));
  outputs
    .values('dx')
    .set(inputs.values('dy').map((dy, at) => Math.abs(dy) * (y[at] as number) * (1 + (y[at] as number))));
};

/** |scale·x| + |offset| */
export const affine: ReferenceKernel<'affine'> = (inputs, outputs, { scale, offset }) => {
  outputs.values('y').set(inputs.values('x').map((x) => Math.abs(scale * x) + Math.abs(offset)));
};

/** |y|·(|dy| + Σ|dy·y|) */
export const softmaxGrad: ReferenceKernel<'softmaxGrad'> = (inputs, outputs) => {
  const dx = outputs.get('dx');
  for (let n = 0; n < rowsOf(dx); n++) {
    const dy = absolute(row(inputs.get('dy'), n));
    const y = absolute(row(inputs.get('y'), n));
    const mean = dot(dy, y);
    row(dx, n).set(y.map((value, k) => value * ((dy[k] as number) + mean)));
  }
};

/** Σ|smoothed label|·(|largest logit| + |log Σ e^(logit − largest)| + |logit|) */
export const softmaxCrossEntropy: ReferenceKernel<'softmaxCrossEntropy'> = (inputs, outputs, { labelSmoothing }) => {
  const losses = outputs.values('losses');
  for (let n = 0; n < losses.length; n++) {
    const logits = row(inputs.get('logits'), n);
    const { largest, logSum } = logSumExp(logits);
    const terms = logits.map((logit) => Math.abs(largest) + Math.abs(logSum) + Math.abs(logit));
    losses[n] = dot(smoothed(absolute(row(inputs.get('labels'), n)), labelSmoothing), terms);
  }
};

/** |dLoss|·(softmax·Σ|smoothed labels| + |smoothed label|) */
export const softmaxCrossEntropyGrad: ReferenceKernel<'softmaxCrossEntropyGrad'> = (
  inputs,
  outputs,
  { labelSmoothing },
) => {
  const dLosses = absolute(inputs.values('dLosses'));
  const dLogits = outputs.get('dLogits');
  for (let n = 0; n < dLosses.length; n++) {
    const labels = smoothed(absolute(row(inputs.get('labels'), n)), labelSmoothing);
    const weight = sum(labels);
    const probabilities = softmaxOf(row(inputs.get('logits'), n));
    row(dLogits, n).set(probabilities.map((p, k) => (dLosses[n] as number) * (p * weight + (labels[k] as number))));
  }
};

/** m and v as sums of magnitudes; |parameter| + |stepSize|·m/(√v + epsilon), v having no negative term. */
export const adam = guarded<'adam'>(
  ['parameter', 'm', 'v'],
  (inputs, outputs, { beta1, beta2, epsilon }) => {
    const gradient = absolute(inputs.values('gradient'));
    const stepSize = Math.abs(inputs.values('stepSize')[0] as number);
    const parameter = outputs.values('parameter');
    const m = outputs.values('m');
    const v = outputs.values('v');
    for (let at = 0; at < parameter.length; at++) {
      const g = gradient[at] as number;
      const mNew = beta1 * Math.abs(inputs.values('m')[at] as number) + (1 - beta1) * g;
      const vNew = beta2 * Math.abs(inputs.values('v')[at] as number) + (1 - beta2) * g * g;
      m[at] = mNew;
      v[at] = vNew;
      parameter[at] =
        Math.abs(inputs.values('parameter')[at] as number) + (stepSize * mNew) / (Math.sqrt(vNew) + epsilon);
    }
  },
  Math.abs,
);

/** As of {@link adam}, with |parameter| + |decay·parameter| in place of |parameter|. */
export const adamW = guarded<'adamW'>(
  ['parameter', 'm', 'v'],
  (inputs, outputs, attrs) => {
    const decay = Math.abs(inputs.values('decay')[0] as number);
    const decayed = inputs.map((operand, name) =>
      name === 'parameter' ? { ...operand, values: operand.values.map((value) => (1 + decay) * value) } : operand,
    );
    adam(decayed, outputs, attrs);
  },
  Math.abs,
);

/** m = |momentum·m| + |learningRate·gradient|; |parameter| + m, or |parameter| + momentum·m + |learningRate·gradient| */
export const sgdMomentum = guarded<'sgdMomentum'>(
  ['parameter', 'm'],
  (inputs, outputs, { momentum, nesterov }) => {
    const learningRate = Math.abs(inputs.values('learningRate')[0] as number);
    const parameter = outputs.values('parameter');
    const m = outputs.values('m');
    const gradient = absolute(inputs.values('gradient'));
    for (let at = 0; at < parameter.length; at++) {
      const step = learningRate * (gradient[at] as number);
      const mNew = Math.abs(momentum * (inputs.values('m')[at] as number)) + step;
      m[at] = mNew;
      parameter[at] =
        Math.abs(inputs.values('parameter')[at] as number) + (nesterov ? Math.abs(momentum) * mNew + step : mNew);
    }
  },
  Math.abs,
);
