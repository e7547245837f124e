import type { OpAttrs } from '@skiplane/core';
import * as fc from 'fast-check';
import type { FillKind } from '../data.ts';
import {
  comparedFills,
  fillArbitrary,
  nhwcArbitrary,
  operand,
  operandsArbitrary,
  valueFills,
  type CaseSpec,
  type OpCases,
} from './op-cases.ts';

const imageShapes = {
  'one block': [4, 8, 8, 16],
  'odd channels': [2, 5, 3, 7],
  '1 channel': [3, 4, 4, 1],
  '1x1 image': [6, 1, 1, 10],
  'one position': [1, 1, 1, 5],
  'two positions': [2, 1, 1, 3],
  '65 channels': [2, 3, 2, 65],
  'rank 2': [9, 17],
  'many positions': [4, 40, 40, 3],
} as const satisfies Record<string, readonly number[]>;

const plain = { epsilon: 1e-3, residual: false, activation: 'none' } as const;
const training = { ...plain, momentum: 0.99, movingVariance: 'biased' } as const;

const variances: readonly FillKind[] = ['positive', 'zeros', 'equal', 'equalLarge'];

/** x, gamma, beta, mean, variance, and the residual when asked for. */
function batchNormOperands(shape: readonly number[], residual: boolean, x: FillKind = 'uniform') {
  const channels = shape.slice(-1);
  return [
    operand(shape, x, 1),
    operand(channels, 'uniform', 2),
    operand(channels, 'uniform', 3),
    operand(channels, 'uniform', 4),
    operand(channels, 'positive', 5),
    ...(residual ? [operand(shape, 'uniform', 6)] : []),
  ];
}

/** Every shape, every fill of x on one of them, and every combination of fused attributes on two. */
function forwardCases<K extends 'batchNormTraining' | 'batchNormInference'>(
  attrs: OpAttrs[K],
): Record<string, CaseSpec<K>> {
  const cases: Record<string, CaseSpec<K>> = {};
  for (const [name, shape] of Object.entries<readonly number[]>(imageShapes)) {
    cases[name] = { attrs, operands: batchNormOperands(shape, false) };
  }
  for (const kind of [...valueFills, 'equalLarge'] as const) {
    cases[`x ${kind}`] = { attrs, operands: batchNormOperands([2, 5, 3, 6], false, kind) };
  }
  for (const name of ['one block', 'odd channels'] as const) {
    for (const residual of [false, true]) {
      for (const activation of ['none', 'relu'] as const) {
        if (!residual && activation === 'none') continue;
        const parts = [...(residual ? ['residual'] : []), ...(activation === 'relu' ? ['relu'] : [])];
        cases[`${name} + ${parts.join(' + ')}`] = {
          attrs: { ...attrs, residual, activation },
          operands: batchNormOperands(imageShapes[name], residual),
        };
      }
    }
  }
  return cases;
}

const epilogue = {
  epsilon: fc.constantFrom(1e-3, 1e-5, 1.001e-5),
  residual: fc.boolean(),
  activation: fc.constantFrom('none', 'relu'),
} as const;

function forwardOperands(shape: readonly number[], residual: boolean) {
  const channels = shape.slice(-1);
  const shapes = [shape, channels, channels, channels, channels, ...(residual ? [shape] : [])];
  return operandsArbitrary(shapes, [undefined, undefined, undefined, undefined, variances]);
}

const batchNormTraining: OpCases<'batchNormTraining'> = {
  named: {
    ...forwardCases<'batchNormTraining'>(training),
    'unbiased moving variance': {
      attrs: { ...training, movingVariance: 'unbiased' },
      operands: batchNormOperands([1, 2, 2, 3], false),
    },
    'unbiased moving variance of one position': {
      attrs: { ...training, movingVariance: 'unbiased' },
      operands: batchNormOperands([1, 1, 1, 3], false),
    },
    'momentum 0': { attrs: { ...training, momentum: 0 }, operands: batchNormOperands([2, 3, 3, 4], false) },
  },
  arbitrary: fc
    .record({
      shape: nhwcArbitrary,
      attrs: fc.record({
        ...epilogue,
        momentum: fc.constantFrom(0.99, 0.9, 0),
        movingVariance: fc.constantFrom('biased', 'unbiased'),
      }),
    })
    .chain(({ shape, attrs }) => forwardOperands(shape, attrs.residual).map((operands) => ({ attrs, operands }))),
};

const batchNormInference: OpCases<'batchNormInference'> = {
  named: forwardCases<'batchNormInference'>(plain),
  arbitrary: fc
    .record({ shape: nhwcArbitrary, attrs: fc.record(epilogue) })
    .chain(({ shape, attrs }) => forwardOperands(shape, attrs.residual).map((operands) => ({ attrs, operands }))),
};

/** It has the kernels of training, so that a few of their cases do. */
const repeatedCases: ReadonlySet<string> = new Set([
  'one block',
  'odd channels',
  'one position',
  'odd channels + residual',
  'one block + residual + relu',
]);

/** Operands and attributes of training, without the moving statistics. */
const batchNormRecompute: OpCases<'batchNormRecompute'> = {
  named: Object.fromEntries(
    Object.entries(forwardCases<'batchNormTraining'>(training))
      .filter(([name]) => repeatedCases.has(name))
      .map(([name, { attrs, operands }]) => {
        const { epsilon, residual, activation } = attrs;
        return [
          name,
          { attrs: { epsilon, residual, activation }, operands: [...operands.slice(0, 3), ...operands.slice(5)] },
        ];
      }),
  ),
  arbitrary: fc.record({ shape: nhwcArbitrary, attrs: fc.record(epilogue) }).chain(({ shape, attrs }) => {
    const channels = shape.slice(-1);
    return operandsArbitrary([shape, channels, channels, ...(attrs.residual ? [shape] : [])]).map((operands) => ({
      attrs,
      operands,
    }));
  }),
};

/** dy, x, gamma, mean, inverseStd, and the residual when asked for. */
function gradOperands(shape: readonly number[], residual: boolean, kind: FillKind = 'uniform') {
  const channels = shape.slice(-1);
  return [
    operand(shape, kind, 1),
    operand(shape, kind, 2),
    operand(channels, 'uniform', 3),
    operand(channels, kind === 'offset' ? 'offset' : 'uniform', 4),
    operand(channels, 'positive', 5),
    ...(residual ? [operand(shape, 'uniform', 6)] : []),
  ];
}

function gradCases(): Record<string, CaseSpec<'batchNormGrad'>> {
  const cases: Record<string, CaseSpec<'batchNormGrad'>> = {};
  for (const [name, shape] of Object.entries<readonly number[]>(imageShapes)) {
    cases[name] = { attrs: { residual: false }, operands: gradOperands(shape, false) };
    cases[`${name} + residual`] = { attrs: { residual: true }, operands: gradOperands(shape, true) };
  }
  for (const kind of comparedFills) {
    cases[`dy and x ${kind}`] = { attrs: { residual: false }, operands: gradOperands([2, 5, 3, 6], false, kind) };
  }
  return cases;
}

const batchNormGrad: OpCases<'batchNormGrad'> = {
  named: gradCases(),
  arbitrary: fc
    .record({ shape: nhwcArbitrary, residual: fc.boolean(), inverseStd: fillArbitrary(['positive', 'equal']) })
    .chain(({ shape, residual, inverseStd }) => {
      const channels = shape.slice(-1);
      const shapes = [shape, shape, channels, channels, channels, ...(residual ? [shape] : [])];
      return operandsArbitrary(shapes).map((list) => ({
        attrs: { residual },
        operands: list.map((spec, i) => (i === 4 ? { ...spec, fill: inverseStd } : spec)),
      }));
    }),
};

export const batchNormCases = { batchNormTraining, batchNormRecompute, batchNormInference, batchNormGrad };
