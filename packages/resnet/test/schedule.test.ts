import { describe, expect, it } from 'vitest';
import { builtInRecipes, kerasSchedule, learningRateAt, type Schedule } from '../src/index.ts';

const steps = 10;
const rateAt = (schedule: Schedule, iteration: number, epochs = 20, accuracies: readonly number[] = []): number =>
  learningRateAt(schedule, { iteration, steps, epochs, accuracies });

describe('the schedule of the Keras example', () => {
  it.each([
    [0, 1e-3],
    [80, 1e-3],
    [81, 1e-4],
    [120, 1e-4],
    [121, 1e-5],
    [160, 1e-5],
    [161, 1e-6],
    [180, 1e-6],
    [181, 5e-7],
    [199, 5e-7],
    [500, 5e-7],
  ])('is in epoch %i %f, from its first step to its last', (epoch, expected) => {
    expect(rateAt(kerasSchedule, epoch * steps)).toBe(expected);
    expect(rateAt(kerasSchedule, epoch * steps + steps - 1)).toBe(expected);
  });
});

describe('other schedules', () => {
  it('piecewise by iteration changes on the step', () => {
    const { learningRate } = builtInRecipes.he2015;
    expect([0, 31_999, 32_000, 47_999, 48_000, 64_000].map((step) => rateAt(learningRate, step))).toEqual([
      0.1, 0.1, 0.01, 0.01, 0.001, 0.001,
    ]);
  });

  it('cosine goes from the rate to the final one, half of it in the middle', () => {
    const schedule: Schedule = { kind: 'cosine', rate: 0.2, final: 0.1, warmUp: null };
    expect(rateAt(schedule, 0)).toBe(0.2);
    expect(rateAt(schedule, 100)).toBeCloseTo(0.15, 12);
    expect(rateAt(schedule, 50)).toBeCloseTo(0.15 + 0.05 * Math.SQRT1_2, 12);
    expect(rateAt(schedule, 200)).toBeCloseTo(0.1, 12);
  });

  it.each(['linear', 'cosine'] as const)('one cycle (%s) rises to its peak and falls to its end', (shape) => {
    const schedule: Schedule = { kind: 'oneCycle', start: 0.1, peak: 1, final: 0.01, rise: 0.25, shape, warmUp: null };
    const rates = Array.from({ length: 201 }, (_, step) =>
      learningRateAt(schedule, { iteration: step, steps: 67, epochs: 3, accuracies: [] }),
    );
    expect(rates[0]).toBeCloseTo(0.1, 12);
    expect(rates[50]).toBeCloseTo(1, 12);
    expect(rates[200]).toBeCloseTo(0.01, 12);
    expect(rates[25]).toBeCloseTo(0.55, 12);
    expect(rates[125]).toBeCloseTo(0.505, 12);
    expect(
      rates.every((rate, i) => i === 0 || (i <= 50 ? rate > (rates[i - 1] ?? 0) : rate < (rates[i - 1] ?? 0))),
    ).toBe(true);
  });

  it.each([
    ['iteration', 4],
    ['epoch', 0.4],
  ] as const)('warms up linearly by %s', (by, length) => {
    const schedule: Schedule = { kind: 'constant', rate: 0.8, warmUp: { kind: 'linear', by, length, from: 0 } };
    const rates = [0, 1, 2, 3, 4, 100].map((step) => rateAt(schedule, step));
    [0.2, 0.4, 0.6, 0.8, 0.8, 0.8].forEach((rate, i) => expect(rates[i]).toBeCloseTo(rate, 12));
  });

  it('warms up until an epoch is above an accuracy, and never again', () => {
    const { learningRate } = builtInRecipes['he2015-warmup'];
    const at = (...accuracies: number[]): number => rateAt(learningRate, 10 * accuracies.length, 20, accuracies);
    expect([at(), at(0.1), at(0.1, 0.2), at(0.1, 0.21), at(0.3, 0.1)]).toEqual([0.01, 0.01, 0.01, 0.1, 0.1]);
  });
});
