import * as fc from 'fast-check';
import type { FillKind } from '../data.ts';
import { operand, operandsArbitrary, shapeArbitrary, valueFills, type CaseSpec, type OpCases } from './op-cases.ts';

const keras = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;

/** Second moments are never negative. */
const secondMoments: readonly FillKind[] = ['positive', 'zeros', 'equal', 'equalLarge'];

interface Kinds {
  readonly m: FillKind;
  readonly v: FillKind;
  readonly gradient: FillKind;
}

function adamSpec(shape: readonly number[], { m, v, gradient }: Kinds): CaseSpec<'adam'> {
  return {
    attrs: keras,
    operands: [
      operand(shape, 'uniform', 1),
      operand(shape, m, 2),
      operand(shape, v, 3),
      operand(shape, gradient, 4),
      operand([], 'stepSize', 5),
    ],
  };
}

function adamCases(): Record<string, CaseSpec<'adam'>> {
  const plain: Kinds = { m: 'uniform', v: 'positive', gradient: 'uniform' };
  const cases: Record<string, CaseSpec<'adam'>> = {
    'a filter': adamSpec([3, 3, 16, 17], plain),
    'a scalar': adamSpec([], plain),
    '5 elements': adamSpec([5], plain),
    '20000 elements': adamSpec([20_000], plain),
    'nothing moves': adamSpec([7], { m: 'zeros', v: 'zeros', gradient: 'zeros' }),
  };
  for (const gradient of valueFills) {
    cases[`first step, gradient ${gradient}`] = adamSpec([31], { m: 'zeros', v: 'zeros', gradient });
    cases[`later step, gradient ${gradient}`] = adamSpec([31], { ...plain, gradient });
  }
  return cases;
}

const adam: OpCases<'adam'> = {
  named: adamCases(),
  arbitrary: fc
    .record({
      shape: shapeArbitrary,
      attrs: fc.record({
        beta1: fc.constantFrom(0.9, 0.8),
        beta2: fc.constantFrom(0.999, 0.99),
        epsilon: fc.constantFrom(1e-7, 1e-8, 1e-3),
      }),
    })
    .chain(({ shape, attrs }) =>
      operandsArbitrary(
        [shape, shape, shape, shape, []],
        [undefined, undefined, secondMoments, undefined, ['stepSize']],
      ).map((list) => ({ attrs, operands: list })),
    ),
};

export const optimizerCases = { adam };
