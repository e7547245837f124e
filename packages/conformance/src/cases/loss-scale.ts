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

const unscaleCase = (shape: readonly number[], scale: number): CaseSpec<'unscaleGradient'> => ({
  attrs: {},
  operands: [operand(shape), scalar(scale)],
});

const unscaleGradient: OpCases<'unscaleGradient'> = {
  named: {
    'a filter': unscaleCase([3, 3, 16, 17], 1),
    'a scalar': unscaleCase([], 1),
    '5 elements': unscaleCase([5], 4),
    '20000 elements': unscaleCase([20_000], 2),
  },
  arbitrary: fc
    .tuple(shapeArbitrary, fillArbitrary(valueFills), scalarArbitrary)
    .map(([shape, fill, scale]) => ({ attrs: {}, operands: [{ shape, fill }, scale] })),
  derive: async (_attrs, [gradient = new Float32Array()], { operands: [, scale = scalar(0)] }) => [
    gradient,
    pick(scales, scale),
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
