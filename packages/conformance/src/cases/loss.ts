import type { OpAttrs } from '@skiplane/core';
import * as fc from 'fast-check';
import type { FillKind } from '../data.ts';
import { comparedFills, operand, operandsArbitrary, type CaseSpec, type OpCases } from './op-cases.ts';

const classShapes = {
  'batch 32, 10 classes': [32, 10],
  'one example': [1, 10],
  '1 class': [4, 1],
  '2 classes': [3, 2],
  '17 classes': [5, 17],
  '1000 classes': [2, 1000],
} as const satisfies Record<string, readonly number[]>;

const logits: readonly FillKind[] = [
  'uniform',
  'logits',
  'equal',
  'integers',
  'zeros',
  'large',
  'small',
  'offset',
  'signedZeros',
];
const labels: readonly FillKind[] = ['oneHot', 'smoothed', 'distribution'];
const weights: readonly FillKind[] = ['uniform', 'equal', 'zeros', 'small', 'large'];

interface Role {
  readonly fills: readonly FillKind[];
  /** Whether the operand has one element an example in place of one a class. */
  readonly perExample?: true;
}

/** Cases of an op over [batch, classes]: every shape, every fill of each operand, and further attributes on some shapes. */
function classCases<K extends 'softmax' | 'softmaxGrad' | 'softmaxCrossEntropy' | 'softmaxCrossEntropyGrad'>(
  roles: readonly Role[],
  attrs: OpAttrs[K],
  further: readonly OpAttrs[K][] = [],
): OpCases<K> {
  const shapesOf = (shape: readonly number[]) =>
    roles.map(({ perExample }) => (perExample ? shape.slice(0, 1) : shape));
  const named: Record<string, CaseSpec<K>> = {};
  const spec = (shape: readonly number[], kinds: readonly (FillKind | undefined)[], of = attrs): CaseSpec<K> => ({
    attrs: of,
    operands: shapesOf(shape).map((s, i) => operand(s, kinds[i], i + 1)),
  });
  const first = roles.map(({ fills }) => fills[0]);
  for (const [name, shape] of Object.entries<readonly number[]>(classShapes)) named[name] = spec(shape, first);
  for (const other of further) {
    for (const name of ['batch 32, 10 classes', '1 class', '1000 classes'] as const)
      named[`${name}, ${JSON.stringify(other)}`] = spec(classShapes[name], first, other);
  }
  roles.forEach(({ fills }, position) => {
    for (const kind of fills) named[`operand ${position} ${kind}`] = spec([6, 10], first.with(position, kind));
  });
  return {
    named,
    arbitrary: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 20 })).chain((shape) =>
      fc.record({
        attrs: fc.constantFrom(attrs, ...further),
        operands: operandsArbitrary(
          shapesOf(shape),
          roles.map(({ fills }) => fills),
        ),
      }),
    ),
  };
}

/** Some, nearly all, and all. */
const smoothings = [{ labelSmoothing: 0.1 }, { labelSmoothing: 1 - 2 ** -20 }, { labelSmoothing: 1 }];
const unsmoothed = { labelSmoothing: 0 };

function topKSpec(
  shape: readonly number[],
  k: number,
  kind: FillKind,
  label: FillKind = 'oneHot',
): CaseSpec<'topKCorrect'> {
  const attrs: OpAttrs['topKCorrect'] = { k };
  return { attrs, operands: [operand(shape, kind, 1), operand(shape, label, 2)] };
}

function topKCases(): Record<string, CaseSpec<'topKCorrect'>> {
  const cases: Record<string, CaseSpec<'topKCorrect'>> = {};
  for (const k of [1, 2, 5, 10]) {
    for (const kind of ['uniform', 'integers', 'equal', 'logits', 'signedZeros'] as const) {
      cases[`k ${k}, ${kind}`] = topKSpec([40, 10], k, kind);
    }
  }
  cases['1 class'] = topKSpec([3, 1], 1, 'uniform');
  cases['smoothed labels'] = topKSpec([20, 7], 1, 'uniform', 'smoothed');
  cases['equal labels: the first counts'] = topKSpec([20, 7], 2, 'uniform', 'equal');
  cases['a NaN in each row'] = topKSpec([20, 7], 7, 'nanRow');
  return cases;
}

const topKCorrect: OpCases<'topKCorrect'> = {
  named: topKCases(),
  arbitrary: fc
    .record({ batch: fc.integer({ min: 1, max: 40 }), classes: fc.integer({ min: 1, max: 20 }), k: fc.nat() })
    .chain(({ batch, classes, k }) =>
      operandsArbitrary(
        [
          [batch, classes],
          [batch, classes],
        ],
        [comparedFills, labels],
      ).map((list) => ({ attrs: { k: 1 + (k % classes) }, operands: list })),
    ),
};

export const lossCases = {
  softmax: classCases<'softmax'>([{ fills: logits }], {}),
  softmaxGrad: classCases<'softmaxGrad'>(
    [{ fills: ['uniform', 'wide', 'offset', 'equal'] }, { fills: labels.toReversed() }],
    {},
  ),
  softmaxCrossEntropy: classCases<'softmaxCrossEntropy'>(
    [{ fills: logits }, { fills: labels }],
    unsmoothed,
    smoothings,
  ),
  softmaxCrossEntropyGrad: classCases<'softmaxCrossEntropyGrad'>(
    [{ fills: weights, perExample: true }, { fills: logits }, { fills: labels }],
    unsmoothed,
    smoothings,
  ),
  topKCorrect,
};
