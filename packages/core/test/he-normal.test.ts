import { describe, expect, test } from 'vitest';
import { heNormal, normalQuantile, ValueError } from '../src/index.ts';

/** Φ by its series, φ(x)·Σ x^(2k+1)/(1·3·5···(2k+1)). */
function normalCdf(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > 1e-18; k++) {
    term *= (x * x) / (2 * k + 1);
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

describe('heNormal', () => {
  const shape = [3, 3, 64, 96];
  const fanIn = 3 * 3 * 64;
  const weights = heNormal(shape, 11, 'stage2/block0/conv1/filter');
  const sigma = Math.sqrt(2 / fanIn) / 0.87962566103423978;

  test('stays the same from version to version', () => {
    expect(Array.from(heNormal([3, 3, 3, 16], 0, 'conv/filter').subarray(0, 4))).toEqual([
      0.05924738571047783, 0.45184627175331116, -0.32806283235549927, 0.1905585527420044,
    ]);
  });

  test('has mean 0, variance 2/fanIn, and nothing beyond two deviations', () => {
    const count = weights.length;
    expect(count).toBe(3 * 3 * 64 * 96);
    const mean = weights.reduce((sum, w) => sum + w, 0) / count;
    const variance = weights.reduce((sum, w) => sum + (w - mean) ** 2, 0) / count;
    // Five standard errors; the fourth moment of the truncated normal is below that of the normal.
    expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(2 / fanIn / count));
    expect(Math.abs(variance / (2 / fanIn) - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    expect(weights.filter((w) => Math.abs(w) > 2 * sigma * (1 + 1e-7))).toHaveLength(0);
  });

  test('follows the truncated normal', () => {
    const sorted = Float64Array.from(weights).toSorted();
    const below = normalCdf(-2);
    const distances = sorted.map((w, i) => {
      const cdf = (normalCdf(w / sigma) - below) / (1 - 2 * below);
      return Math.max(Math.abs(cdf - i / sorted.length), Math.abs((i + 1) / sorted.length - cdf));
    });
    // Kolmogorov and Smirnov: above 1.95/√n once in a thousand seeds.
    expect(Math.max(...distances)).toBeLessThan(1.95 / Math.sqrt(sorted.length));
  });

  test('counts the inputs of a dense layer', () => {
    const dense = heNormal([50, 400], 1, 'dense/kernel');
    const variance = dense.reduce((sum, w) => sum + w * w, 0) / dense.length;
    expect(Math.abs(variance / (2 / 50) - 1)).toBeLessThan(5 * Math.sqrt(2 / dense.length));
  });

  test('depends on the name and the seed, not on what was drawn before', () => {
    expect(heNormal(shape, 11, 'stage2/block0/conv1/filter')).toEqual(weights);
    const shared = (other: Float32Array): number => other.filter((w, i) => w === weights[i]).length;
    expect(shared(heNormal(shape, 11, 'stage2/block0/conv2/filter'))).toBeLessThan(10);
    expect(shared(heNormal(shape, 12, 'stage2/block0/conv1/filter'))).toBeLessThan(10);
  });

  test('refuses a shape without a fan-in', () => {
    expect(() => heNormal([16], 0, 'bias')).toThrow(ValueError);
    expect(() => heNormal([16], 0, 'bias')).toThrow(
      "he_normal of 'bias': the shape must be [height,width,inChannels,outChannels] or [in,out], but is [16].",
    );
  });
});

describe('normalQuantile', () => {
  test.each([
    [0.5, 0],
    [0.975, 1.9599639845400536],
    [0.0013498980316300933, -3],
    [1e-15, -7.941345326170995],
    [1e-300, -37.0470962993612],
  ])('of %s is %s', (p, x) => {
    expect(Math.abs(normalQuantile(p) - x)).toBeLessThanOrEqual(4e-16 * Math.abs(x));
  });

  test('inverts the distribution and is odd about a half', () => {
    const ps = Array.from({ length: 199 }, (_, i) => (i + 1) / 200);
    const errors = ps.map((p) => Math.abs(normalCdf(normalQuantile(p)) - p));
    expect(Math.max(...errors)).toBeLessThan(1e-15);
    const asymmetry = ps.map((p) => Math.abs(normalQuantile(p) + normalQuantile(1 - p)));
    expect(Math.max(...asymmetry)).toBeLessThan(2e-15);
  });
});
