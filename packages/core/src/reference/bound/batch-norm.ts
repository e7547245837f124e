import { at, smallestNormal, sumFactor, tabulate, type BoundContext, type BoundRules } from './context.ts';

/** Sums over the positions of each channel. */
function channelSums(length: number, channels: number, term: (i: number, c: number) => number): Float64Array {
  const sums = new Float64Array(channels);
  for (let i = 0; i < length; i++) sums[i % channels] = at(sums, i % channels) + term(i, i % channels);
  return sums;
}

/** The farthest that 1/√(variance + epsilon) can move when the variance moves by δ either way, and 4 roundings. */
function inverseStdError(variance: number, delta: number, epsilon: number, u: number): number {
  const inverse = (v: number): number => 1 / Math.sqrt(Math.max(v, 0) + epsilon);
  const exact = inverse(variance);
  return Math.max(inverse(variance - delta) - exact, exact - inverse(variance + delta)) + 4 * u * exact;
}

interface Statistics {
  readonly mean: Float64Array;
  readonly inverseStd: Float64Array;
  readonly errorMean: Float64Array;
  readonly errorInverseStd: Float64Array;
}

/**
 * y = gamma·(x − mean)·inverseStd + beta (+ residual), or x·scale + (beta − mean·scale) with scale = gamma·inverseStd: the
 * second rounds scale·x, scale·mean twice and y, all in proportion to |x| + |mean|; inverseStd has its own error.
 */
function normalizedBound(
  context: BoundContext,
  { mean, inverseStd, errorMean, errorInverseStd }: Statistics,
): Float64Array {
  const { u } = context;
  const [x, errorX] = [context.value('x'), context.error('x')];
  const [gamma, errorGamma] = [context.value('gamma'), context.error('gamma')];
  const [beta, errorBeta] = [context.value('beta'), context.error('beta')];
  const residual = context.has('residual') ? context.value('residual') : undefined;
  const errorResidual = residual === undefined ? undefined : context.error('residual');
  const channels = gamma.length;
  return tabulate(x.length, (i) => {
    const c = i % channels;
    const deviation = Math.abs(at(x, i) - at(mean, c));
    const scale = Math.abs(at(gamma, c)) * at(inverseStd, c);
    const rounding = 4 * u * scale * (Math.abs(at(x, i)) + Math.abs(at(mean, c))) + 3 * u * Math.abs(at(beta, c));
    const statistics =
      scale * (at(errorX, i) + at(errorMean, c)) + Math.abs(at(gamma, c)) * deviation * at(errorInverseStd, c);
    const parameters = at(errorGamma, c) * deviation * at(inverseStd, c) + at(errorBeta, c);
    const added =
      residual === undefined || errorResidual === undefined
        ? 0
        : 2 * u * Math.abs(at(residual, i)) + at(errorResidual, i);
    return rounding + statistics + parameters + added + 4 * smallestNormal * (1 + scale);
  });
}

/**
 * The mean as any sum. The variance of numbers that are each off by a relative u is off by 2·σ·rms(x)·u: the condition
 * number of Chan, Golub & LeVeque 1983, which two-pass, Welford's and pairwise merging sums reach, while E[x²] − E[x]² does not.
 */
function batchStatistics(context: BoundContext, epsilon: number) {
  const x = context.value('x');
  const errorX = context.error('x');
  const channels = context.value('gamma').length;
  const positions = x.length / channels;
  const average = (term: (i: number, c: number) => number): Float64Array =>
    channelSums(x.length, channels, term).map((sum) => sum / positions);
  const mean = average((i) => at(x, i));
  const variance = average((i, c) => (at(x, i) - at(mean, c)) ** 2);
  const squares = average((i) => at(x, i) ** 2);
  const errorSquares = average((i) => at(errorX, i) ** 2);
  const magnitude = average((i) => Math.abs(at(x, i)));
  const inherited = average((i) => at(errorX, i));
  const rounding = (2 + sumFactor(positions)) * context.u;
  const errorMean = magnitude.map(
    (value, c) => sumFactor(positions) * context.u * value + at(inherited, c) + smallestNormal,
  );
  const errorVariance = variance.map((value, c) => {
    const deviation = Math.sqrt(value);
    const spread = 2 * deviation * (rounding * Math.sqrt(at(squares, c)) + Math.sqrt(at(errorSquares, c)));
    return rounding * value + spread + at(errorSquares, c) + at(errorMean, c) ** 2 + smallestNormal;
  });
  const errorInverseStd = variance.map((value, c) => inverseStdError(value, at(errorVariance, c), epsilon, context.u));
  return { mean, variance, errorMean, errorVariance, errorInverseStd, positions };
}

type BatchNorm = 'batchNormTraining' | 'batchNormRecompute' | 'batchNormInference' | 'batchNormGrad';

export const batchNormRules: Pick<BoundRules, BatchNorm> = {
  // relu never makes two numbers more different, so the bounds hold after it.
  batchNormTraining(context, { epsilon, momentum, movingVariance }) {
    const statistics = batchStatistics(context, epsilon);
    const { mean, variance, errorMean, errorVariance, errorInverseStd, positions } = statistics;
    const correction = movingVariance === 'unbiased' ? positions / Math.max(positions - 1, 1) : 1;
    // A constant, a product or two, and a sum: 4 roundings at most on either term.
    const moving = (name: string, statistic: Float64Array, errors: Float64Array, factor: number): Float64Array =>
      statistic.map((value, c) => {
        const rounding =
          4 * context.u * (momentum * Math.abs(at(context.value(name), c)) + (1 - momentum) * Math.abs(factor * value));
        return (
          rounding +
          momentum * at(context.error(name), c) +
          (1 - momentum) * factor * at(errors, c) +
          4 * smallestNormal
        );
      });
    return {
      y: normalizedBound(context, { mean, inverseStd: context.result('inverseStd'), errorMean, errorInverseStd }),
      mean: errorMean,
      inverseStd: errorInverseStd,
      movingMean: moving('movingMean', mean, errorMean, 1),
      movingVariance: moving('movingVariance', variance, errorVariance, correction),
    };
  },

  batchNormRecompute(context, { epsilon }) {
    const { mean, variance, errorMean, errorInverseStd } = batchStatistics(context, epsilon);
    const inverseStd = variance.map((value) => 1 / Math.sqrt(value + epsilon));
    return { y: normalizedBound(context, { mean, inverseStd, errorMean, errorInverseStd }) };
  },

  batchNormInference(context, { epsilon }) {
    const variance = context.value('variance');
    const errors = context.error('variance');
    const y = normalizedBound(context, {
      mean: context.value('mean'),
      inverseStd: variance.map((value) => 1 / Math.sqrt(value + epsilon)),
      errorMean: context.error('mean'),
      errorInverseStd: variance.map((value, c) => inverseStdError(value, at(errors, c), epsilon, context.u)),
    });
    return { y };
  },

  // x̂ = (x − mean)·inverseStd rounds in proportion to |x| + |mean|, as above; then the sums, then
  // dx = gamma·inverseStd·(dy − dBeta/N − x̂·dGamma/N), each of the three terms with its own rounding and its own error.
  batchNormGrad(context) {
    const { u } = context;
    const values = (name: string) => [context.value(name), context.error(name)] as const;
    const [[dy, errorDy], [x, errorX], [gamma, errorGamma]] = [values('dy'), values('x'), values('gamma')];
    const [[mean, errorMean], [inverseStd, errorStd]] = [values('mean'), values('inverseStd')];
    const [dGamma, dBeta] = [context.result('dGamma'), context.result('dBeta')];
    const channels = gamma.length;
    const positions = x.length / channels;
    const normalized = tabulate(
      x.length,
      (i) => Math.abs(at(x, i) - at(mean, i % channels)) * at(inverseStd, i % channels),
    );
    const errorNormalized = tabulate(x.length, (i) => {
      const c = i % channels;
      const rounding = 4 * u * (Math.abs(at(x, i)) + Math.abs(at(mean, c))) + at(errorX, i) + at(errorMean, c);
      return at(inverseStd, c) * rounding + Math.abs(at(x, i) - at(mean, c)) * at(errorStd, c);
    });
    const sum = sumFactor(positions) * u;
    const flushed = positions * smallestNormal;
    const errorBeta = channelSums(x.length, channels, (i) => sum * Math.abs(at(dy, i)) + at(errorDy, i)).map(
      (error) => error + flushed,
    );
    const errorOfGamma = channelSums(
      x.length,
      channels,
      (i) =>
        Math.abs(at(dy, i)) * (sum * at(normalized, i) + at(errorNormalized, i)) + at(errorDy, i) * at(normalized, i),
    ).map((error, c) => error + flushed * (1 + at(inverseStd, c)));
    const residual = context.has('residual') ? context.value('residual') : undefined;
    const dx = tabulate(x.length, (i) => {
      const c = i % channels;
      const terms = [
        Math.abs(at(dy, i)),
        Math.abs(at(dBeta, c)) / positions,
        (at(normalized, i) * Math.abs(at(dGamma, c))) / positions,
      ];
      const total = terms.reduce((a, b) => a + b, 0);
      const inside =
        at(errorDy, i) +
        (at(errorBeta, c) +
          at(normalized, i) * at(errorOfGamma, c) +
          at(errorNormalized, i) * Math.abs(at(dGamma, c))) /
          positions;
      const scale = Math.abs(at(gamma, c)) * at(inverseStd, c);
      const scaleError = at(errorGamma, c) * at(inverseStd, c) + Math.abs(at(gamma, c)) * at(errorStd, c);
      const added = residual === undefined ? 0 : 2 * u * Math.abs(at(residual, i)) + at(context.error('residual'), i);
      return scale * (inside + 8 * u * total) + scaleError * total + added + 8 * smallestNormal * (1 + scale);
    });
    return { dx, dGamma: errorOfGamma, dBeta: errorBeta };
  },
};
