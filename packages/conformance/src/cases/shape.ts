import * as fc from 'fast-check';
import {
  fillArbitrary,
  operand,
  operands,
  operandsArbitrary,
  shapeArbitrary,
  valueFills,
  type CaseSpec,
  type OpCases,
} from './op-cases.ts';

const reshape: OpCases<'reshape'> = {
  named: {
    flatten: { attrs: { shape: [3, 20] }, operands: operands([[3, 1, 4, 5]]) },
    'to a scalar': { attrs: { shape: [] }, operands: operands([[1, 1]]) },
    'to the same': { attrs: { shape: [7] }, operands: operands([[7]], 'signedZeros') },
  },
  arbitrary: shapeArbitrary
    .chain((shape) => operandsArbitrary([shape]))
    .map((list) => ({
      attrs: { shape: [list[0]?.shape.reduce((count, size) => count * size, 1) ?? 1] },
      operands: list,
    })),
};

const fill: OpCases<'fill'> = {
  named: {
    'a scalar one': { attrs: { shape: [], value: 1 }, operands: [] },
    'a tenth': { attrs: { shape: [3, 7], value: 0.1 }, operands: [] },
    zeros: { attrs: { shape: [5000], value: 0 }, operands: [] },
  },
  arbitrary: fc
    .record({ shape: shapeArbitrary, value: fc.constantFrom(0, 1, -2.5, 0.1, 1e30) })
    .map((attrs) => ({ attrs, operands: [] })),
};

const broadcastScalar: OpCases<'broadcastScalar'> = {
  named: {
    'to a scalar': { attrs: { shape: [] }, operands: operands([[]]) },
    'to an image': { attrs: { shape: [2, 3, 5, 7] }, operands: operands([[]]) },
    'to a long vector': { attrs: { shape: [5001] }, operands: operands([[]]) },
  },
  arbitrary: fc
    .record({ shape: shapeArbitrary, fill: fillArbitrary() })
    .map(({ shape, fill: scalar }) => ({ attrs: { shape }, operands: [{ shape: [], fill: scalar }] })),
};

/** Sums over no, few and many elements. */
const sumShapes = {
  scalar: [],
  '3 elements': [3],
  '1025 elements': [1025],
  'a filter': [3, 3, 16, 17],
  '100000 elements': [100_000],
} as const satisfies Record<string, readonly number[]>;

function sumCases<K extends 'reduceSum' | 'l2Penalty'>(
  attrs: CaseSpec<K>['attrs'],
  arbitraryAttrs: fc.Arbitrary<CaseSpec<K>['attrs']>,
): OpCases<K> {
  const named: Record<string, CaseSpec<K>> = {};
  for (const [name, shape] of Object.entries<readonly number[]>(sumShapes)) {
    named[name] = { attrs, operands: operands([shape]) };
    named[`${name}, positive`] = { attrs, operands: operands([shape], 'positive') };
  }
  for (const kind of valueFills) named[kind] = { attrs, operands: operands([[5, 43]], kind) };
  return {
    named,
    arbitrary: fc
      .record({ shape: shapeArbitrary, attrs: arbitraryAttrs })
      .chain(({ shape, attrs: chosen }) =>
        operandsArbitrary([shape]).map((list) => ({ attrs: chosen, operands: list })),
      ),
  };
}

const l2Scale = fc.constantFrom(1e-4, 5e-4, 1).map((scale) => ({ scale }));

const l2PenaltyGrad: OpCases<'l2PenaltyGrad'> = {
  named: {
    'a filter': { attrs: { scale: 1e-4 }, operands: [operand([], 'equal'), operand([3, 3, 16, 17])] },
    'a scalar': { attrs: { scale: 0.3 }, operands: operands([[], []]) },
    'magnitudes apart': { attrs: { scale: 1e-4 }, operands: operands([[], [5, 43]], 'wide') },
  },
  arbitrary: fc
    .record({ shape: shapeArbitrary, attrs: l2Scale })
    .chain(({ shape, attrs }) => operandsArbitrary([[], shape]).map((list) => ({ attrs, operands: list }))),
};

export const shapeCases = {
  reshape,
  fill,
  broadcastScalar,
  reduceSum: sumCases<'reduceSum'>({}, fc.constant({})),
  l2Penalty: sumCases<'l2Penalty'>({ scale: 1e-4 }, l2Scale),
  l2PenaltyGrad,
};
