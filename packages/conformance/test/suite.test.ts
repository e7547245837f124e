import { opKinds } from '@skiplane/core';
import { compare, indexOf } from '@skiplane/core/reference';
import { describe, expect, it } from 'vitest';
import { opCases } from '../src/cases/index.ts';
import { firstDifference } from '../src/compare.ts';
import { reasonsToSkip } from '../src/describe-backend.ts';
import { readSettings } from '../src/settings.ts';
import { conformanceCases } from '../src/suite.ts';
import { Tally } from '../src/tally.ts';

const cases = conformanceCases();

const gradient = (part: string) => cases.filter(({ id }) => id.startsWith(part)).map((one) => one.gradient);

const compareOne = (actual: number, expected: number, bound: number) =>
  compare({ actual: [actual], expected: Float64Array.of(expected), bound: Float64Array.of(bound) });

describe('the list of cases', () => {
  it('has named and random cases for every op, under ids of their own', () => {
    const ids = cases.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const kind of opKinds) {
      expect(ids).toContain(`${kind}/random`);
      expect(Object.keys(opCases[kind].named).length).toBeGreaterThanOrEqual(3);
    }
  });

  it('knows which cases compute gradients', () => {
    expect(gradient('conv2dBackpropFilter/')).not.toContain(false);
    expect(gradient('batchNormGrad/')).not.toContain(false);
    expect(gradient('net/')).not.toContain(false);
    expect(gradient('conv2d/')).not.toContain(true);
  });
});

describe('skips', () => {
  it('carry their reason to every case they name', () => {
    const reasons = reasonsToSkip(cases, [
      { reason: 'NaN is not kept', cases: ['topKCorrect/a NaN in each row', 'sigmoid'] },
    ]);
    expect(reasons.get('topKCorrect/a NaN in each row')).toBe('NaN is not kept');
    expect(reasons.get('sigmoid/random')).toBe('NaN is not kept');
    expect(reasons.has('sigmoidGrad/random')).toBe(false);
  });

  it.each([
    ['a gradient', { reason: 'slow', cases: ['maxPool2dGrad/random'] }, /a gradient may not be skipped/],
    ['all of a gradient op', { reason: 'slow', cases: ['conv2dBackpropFilter'] }, /a gradient may not be skipped/],
    ['a net', { reason: 'slow', cases: ['net'] }, /a gradient may not be skipped/],
    ['without a reason', { reason: ' ', cases: ['relu'] }, /must carry a reason/],
    ['what does not exist', { reason: 'slow', cases: ['conv3d'] }, /no conformance case has this name/],
  ])('of %s are refused', (_name, skip, message) => {
    expect(() => reasonsToSkip(cases, [skip])).toThrow(message);
  });
});

describe('the tally', () => {
  it('prints cases, largest ratios and skips', () => {
    const tally = new Tally();
    tally.count('conv2d');
    tally.count('conv2d');
    tally.ratio('conv2d', 0.25);
    tally.ratio('conv2d', 0.125);
    tally.count('relu');
    tally.count('add');
    tally.ratio('relu', 0);
    tally.skip('relu/random', 'a reason');
    expect(tally.report('x').split('\n')).toEqual([
      'op      cases  max error/bound',
      'conv2d      2            0.250',
      'relu        1            exact',
      'add         1                -',
      'skipped relu/random: a reason',
      'x: 4 cases',
    ]);
  });

  it('is an error when nothing was run', () => {
    expect(() => new Tally().report('x')).toThrow('no conformance case was run');
  });
});

describe('comparison', () => {
  it.each([
    ['equal', 1, 1, 0, 0],
    ['zeros of either sign', -0, 0, 0, 0],
    ['NaN where NaN is expected', Number.NaN, Number.NaN, 0, 0],
    ['half of the bound', 1.5, 1, 1, 0],
    ['twice the bound', 3, 1, 1, 1],
    ['anything beside an exact result', 1 + 1e-12, 1, 0, 1],
    ['NaN', Number.NaN, 1, 1e30, 1],
    ['a number where NaN is expected', 1, Number.NaN, 1, 1],
    ['infinity', Number.POSITIVE_INFINITY, 1, 1e30, 1],
  ])('%s', (_name, actual, expected, bound, outside) => {
    expect(compareOne(actual, expected, bound).outside).toBe(outside);
  });

  it('counts a result that is missing as outside', () => {
    const zeros = new Float64Array(3);
    expect(compare({ actual: [], expected: zeros, bound: zeros }).outside).toBe(3);
  });

  it('finds the first bit that differs, signs of zeros and NaN included', () => {
    expect(firstDifference(Float32Array.of(1, 0), Float32Array.of(1, -0))).toBe(1);
    expect(firstDifference(Float32Array.of(Number.NaN), Float32Array.of(Number.NaN))).toBe(-1);
  });

  it('names elements by their index', () => {
    expect(indexOf(23, [2, 3, 4])).toEqual([1, 2, 3]);
    expect(indexOf(0, [])).toEqual([]);
  });
});

it('settings come from the environment, and nonsense is refused', () => {
  const before = process.env['SKIPLANE_CONFORMANCE_RUNS'];
  process.env['SKIPLANE_CONFORMANCE_RUNS'] = '77';
  expect(readSettings().runs).toBe(77);
  process.env['SKIPLANE_CONFORMANCE_RUNS'] = 'many';
  expect(() => readSettings()).toThrow(/must be an integer/);
  if (before === undefined) delete process.env['SKIPLANE_CONFORMANCE_RUNS'];
  else process.env['SKIPLANE_CONFORMANCE_RUNS'] = before;
});
