import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { permutation, philox4x32, randomStream, uniform, uniforms, ValueError } from '../src/index.ts';

type Words4 = readonly [number, number, number, number];
type Words2 = readonly [number, number];
const ones = 0xffffffff;

/** Known answers of the authors' library Random123: counter, key, result. */
const knownAnswers: readonly (readonly [title: string, counter: Words4, key: Words2, result: readonly number[]])[] = [
  ['zeros', [0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
  ['ones', [ones, ones, ones, ones], [ones, ones], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
  [
    'digits of pi',
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

test.each(knownAnswers)('philox4x32 knows the answer for %s', (_title, counter, key, result) => {
  expect([...philox4x32(counter, key)]).toEqual(result);
});

describe('uniform', () => {
  test('stays the same from version to version', () => {
    const stream = randomStream(42, 'stage1/conv1/filter');
    expect([0, 1, 2, 2 ** 40 + 1].map((index) => uniform(stream, index))).toEqual([
      0.582828989008625, 0.5653441819236292, 0.09250115361922429, 0.4680230382524715,
    ]);
    expect(uniform(randomStream(Number.MAX_SAFE_INTEGER, 'é'), 7)).toBe(0.0959803949509399);
  });

  test('depends on seed, name and index', () => {
    const numbers = [1, 2, 2 ** 32 + 1].flatMap((seed) =>
      ['a', 'b', 'ab'].flatMap((name) => [0, 1, 2, 3].map((index) => uniform(randomStream(seed, name), index))),
    );
    expect(new Set(numbers).size).toBe(36);
  });

  test('fills 0 to 1 evenly', () => {
    const count = 100_000;
    const draws = uniforms(randomStream(3, 'uniform'), count);
    const bins = new Array<number>(20).fill(0);
    for (const draw of draws) bins[Math.floor(draw * 20)] = (bins[Math.floor(draw * 20)] ?? 0) + 1;
    const chiSquare = bins.reduce((sum, n) => sum + (n - count / 20) ** 2 / (count / 20), 0);
    // 19 degrees of freedom: above 43.8 once in a thousand seeds.
    expect(chiSquare).toBeLessThan(43.8);
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
  });

  test('uniforms gives what uniform gives, from any start', () => {
    const stream = randomStream(5, 'window');
    for (const start of [0, 1, 6]) {
      expect([...uniforms(stream, 5, start)]).toEqual([0, 1, 2, 3, 4].map((i) => uniform(stream, start + i)));
    }
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53])('refuses the seed %s', (seed) => {
    expect(() => randomStream(seed, 'x')).toThrow(ValueError);
    expect(() => randomStream(seed, 'x')).toThrow(`seed must be an integer from 0 to 2^53 - 1, but is ${seed}.`);
  });
});

describe('permutation', () => {
  test('has every index once', () => {
    fc.assert(
      fc.property(fc.nat(), fc.string(), fc.integer({ min: 0, max: 300 }), (seed, name, count) => {
        const order = permutation(seed, name, count);
        expect([...order].toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });

  test('is the same for the same key and another for another epoch or seed', () => {
    const order = permutation(1, 'shuffle/epoch0', 1000);
    expect(permutation(1, 'shuffle/epoch0', 1000)).toEqual(order);
    const inPlace = (other: Uint32Array): number => other.filter((value, i) => value === order[i]).length;
    // Independent permutations agree at one place on average, at more than nine once in ten million.
    expect(inPlace(permutation(1, 'shuffle/epoch1', 1000))).toBeLessThan(10);
    expect(inPlace(permutation(2, 'shuffle/epoch0', 1000))).toBeLessThan(10);
  });

  test('gives each of the 24 orders of 4 equally often', () => {
    const counts = new Map<string, number>();
    const trials = 24_000;
    for (let i = 0; i < trials; i++) {
      const order = permutation(i, 'orders', 4).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    // 23 degrees of freedom: above 49.7 once in a thousand.
    expect(chiSquare).toBeLessThan(49.7);
  });
});
