import * as fc from 'fast-check';
import {
  fillArbitrary,
  operand,
  shapeArbitrary,
  valueFills,
  type CaseSpec,
  type OpCases,
  type OperandSpec,
} from './op-cases.ts';

/** Sums of squares: what a step finds where nothing overflows, and where something does. */
const norms: readonly number[] = [1, 0, 3e38, Number.POSITIVE_INFINITY, Number.NaN];
const scales: readonly number[] = [1, 2 ** 15, 2 ** 24, 1.5, 3, 2 ** 40];
const counts: readonly number[] = [0, 1, 6, 1998, 1999];

const pick = (values: readonly number[], { fill: { seed } }: OperandSpec): Float32Array =>
  Float32Array.of(values[seed % values.length] ?? 0);

/** A scalar; its seed is the index of one of the values above. */
const scalar = (seed: number): OperandSpec => operand([], 'uniform', seed);
const scalarArbitrary = fc.nat({ max: 59 }).map(scalar);

const unscaleCase = (shape: readonly number[], norm: number, scale = 1): CaseSpec<'unscaleGradient'> => ({
  attrs: {},
  operands: [operand(shape), scalar(scale), scalar(norm)],
});

const unscaleGradient: OpCases<'unscaleGradient'> = {
  named: {
    'a filter': unscaleCase([3, 3, 16, 17], 0),
    'a filter, overflown': unscaleCase([3, 3, 16, 17], 3),
    'a filter, not a number': unscaleCase([3, 3, 16, 17], 4),
    'a scalar': unscaleCase([], 2),
    '5 elements, zero norm': unscaleCase([5], 1, 4),
    '20000 elements': unscaleCase([20_000], 0, 2),
  },
  arbitrary: fc
    .tuple(shapeArbitrary, fillArbitrary(valueFills), scalarArbitrary, scalarArbitrary)
    .map(([shape, fill, scale, norm]) => ({ attrs: {}, operands: [{ shape, fill }, scale, norm] })),
  derive: async (_attrs, [gradient = new Float32Array()], { operands: [, scale = scalar(0), norm = scalar(0)] }) => [
    gradient,
    pick(scales, scale),
    pick(norms, norm),
  ],
};

const updateCase = (scale: number, count: number, norm: number): CaseSpec<'updateLossScale'> => ({
  attrs: { growthSteps: 2000, minimum: 1, maximum: 2 ** 24 },
  operands: [scalar(scale), scalar(count), scalar(norm)],
});

const updateLossScale: OpCases<'updateLossScale'> = {
  named: {
    'a good step': updateCase(1, 1, 0),
    'a good step with zero norm': updateCase(1, 3, 1),
    'good steps enough': updateCase(1, 4, 0),
    'good steps enough, at the maximum': updateCase(2, 4, 0),
    overflow: updateCase(1, 4, 3),
    'not a number': updateCase(1, 1, 4),
    'overflow at the minimum': updateCase(0, 1, 3),
  },
  arbitrary: fc
    .record({
      steps: fc.constantFrom(1, 7, 2000),
      operands: fc.tuple(scalarArbitrary, scalarArbitrary, scalarArbitrary),
    })
    .map(({ steps, operands }) => ({ attrs: { growthSteps: steps, minimum: 1, maximum: 2 ** 24 }, operands })),
  derive: async (_attrs, _data, { operands: [scale = scalar(0), count = scalar(0), norm = scalar(0)] }) => [
    pick(scales, scale),
    pick(counts, count),
    pick(norms, norm),
  ],
};

export const lossScaleCases = { unscaleGradient, updateLossScale };
