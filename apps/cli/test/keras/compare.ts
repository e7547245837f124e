import { sampled, totalsOf, type Totals } from './fixtures.ts';

/** ‖actual − expected‖ / ‖expected‖, and 0 where both are zero. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) throw new Error(`${actual.length} values, but Keras has ${expected.length}`);
  let [distance, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i] as number, expected[i] as number];
    distance += (a - e) ** 2;
    norm += e * e;
  }
  return distance === 0 ? 0 : Math.sqrt(distance / norm);
}

/**
 * The error of a tensor of which the fixtures have samples, and sum and norm of the whole; the largest of the three. Errors of
 * relative size e in all elements move the norm by e at most, and the sum by e·√count of the norm.
 */
export function tensorError(actual: ArrayLike<number>, samples: Float64Array, totals?: Totals): number {
  const inSamples = relativeError(sampled(actual), samples);
  if (totals === undefined) return inSamples;
  const ours = totalsOf(actual);
  if (ours.count !== totals.count) throw new Error(`${ours.count} elements, but Keras has ${totals.count}`);
  const inNorm = Math.abs(ours.l2 - totals.l2) / totals.l2;
  const inSum = Math.abs(ours.sum - totals.sum) / (totals.l2 * Math.sqrt(totals.count));
  return Math.max(inSamples, inNorm, inSum);
}
