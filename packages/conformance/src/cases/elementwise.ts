import * as fc from 'fast-check';
import type { FillKind } from '../data.ts';
import {
  comparedFills,
  fillArbitrary,
  operand,
  operands,
  operandsArbitrary,
  shapeArbitrary,
  valueFills,
  type CaseSpec,
  type OpCases,
  type OperandSpec,
} from './op-cases.ts';

/** Lengths around the width of a vector, of a block, and of a thread's share. */
const shapes = {
  scalar: [],
  '1 element': [1],
  '3 elements': [3],
  '4 elements': [4],
  '17 elements': [17],
  '1023 elements': [1023],
  '20000 elements': [20_000],
  image: [2, 5, 3, 7],
} as const satisfies Record<string, readonly number[]>;

type Plain = 'relu' | 'reluGrad' | 'sigmoid' | 'sigmoidGrad' | 'add' | 'multiply' | 'assignAdd';

/** Cases of an op without attributes whose operands all have one shape; `fills[i]` are those allowed for operand i. */
function plainCases<K extends Plain>(fills: readonly (readonly FillKind[])[]): OpCases<K> {
  const named: Record<string, CaseSpec<K>> = {};
  const shapesOf = (shape: readonly number[]) => fills.map(() => shape);
  for (const [name, shape] of Object.entries<readonly number[]>(shapes)) {
    named[name] = { attrs: {}, operands: shapesOf(shape).map((s, i) => operand(s, fills[i]?.[0], i + 1)) };
  }
  fills.forEach((kinds, position) => {
    for (const kind of kinds) {
      const list = shapesOf([3, 11]).map((s, i) => operand(s, i === position ? kind : fills[i]?.[0], i + 1));
      named[`operand ${position} ${kind}`] = { attrs: {}, operands: list };
    }
  });
  return {
    named,
    arbitrary: shapeArbitrary
      .chain((shape) => operandsArbitrary(shapesOf(shape), fills))
      .map((list) => ({ attrs: {}, operands: list })),
  };
}

const affineAttrs = fc.record({
  scale: fc.constantFrom(2, 1, -1, 0, 0.1, 1 / 3, 1e-3, -5e4),
  offset: fc.constantFrom(0, 1, -0.3, 100),
});

const affine: OpCases<'affine'> = {
  named: {
    'as it is': { attrs: { scale: 1, offset: 0 }, operands: operands([[3, 7]], 'wide') },
    'one third': { attrs: { scale: 1 / 3, offset: 0 }, operands: operands([[17]]) },
    'mean over a batch': { attrs: { scale: 1 / 32, offset: 0 }, operands: operands([[]]) },
    cancelling: { attrs: { scale: -1, offset: 100.5 }, operands: operands([[2, 9]], 'offset') },
    'a long one': { attrs: { scale: 0.7, offset: -0.3 }, operands: operands([[20_001]]) },
  },
  arbitrary: fc
    .record({ shape: shapeArbitrary, attrs: affineAttrs })
    .chain(({ shape, attrs }) => operandsArbitrary([shape]).map((list) => ({ attrs, operands: list }))),
};

const random = (kind: FillKind = 'words'): OperandSpec => ({ ...operand([4], kind, 2), dtype: 'i32' });

const dropoutAttrs = fc.record({
  keep: fc.constantFrom(0.5, 0.1, 0.999),
  scale: fc.constantFrom(1, 2, 1 / 3),
  stream: fc.constantFrom(0, 7, 2 ** 32 - 1),
});

/** Lengths around the sixteen elements of four blocks of random numbers, and beyond a thread's share. */
const dropout: OpCases<'dropout'> = {
  named: Object.fromEntries([
    ...[1, 15, 16, 17, 36_870].map((length) => [
      `${length} elements`,
      { attrs: { keep: 0.5, scale: 1, stream: length }, operands: [operand([length]), random()] },
    ]),
    ['scaled', { attrs: { keep: 0.3, scale: 1 / 0.3, stream: 0 }, operands: [operand([2, 5, 3, 7]), random('bytes')] }],
    [
      'zeros of either sign',
      { attrs: { keep: 0.5, scale: 2, stream: 1 }, operands: [operand([40], 'signedZeros'), random()] },
    ],
  ]),
  arbitrary: fc
    .record({ shape: shapeArbitrary, attrs: dropoutAttrs, from: fillArbitrary(['words', 'bytes']) })
    .chain(({ shape, attrs, from }) =>
      operandsArbitrary([shape]).map((list) => ({
        attrs,
        operands: [...list, { shape: [4], fill: from, dtype: 'i32' as const }],
      })),
    ),
};

export const elementwiseCases = {
  relu: plainCases<'relu'>([valueFills]),
  reluGrad: plainCases<'reluGrad'>([valueFills, comparedFills]),
  sigmoid: plainCases<'sigmoid'>([[...valueFills, 'logits']]),
  sigmoidGrad: plainCases<'sigmoidGrad'>([valueFills, ['distribution', 'uniform', 'zeros', 'positive', 'oneHot']]),
  add: plainCases<'add'>([valueFills, valueFills]),
  multiply: plainCases<'multiply'>([valueFills, valueFills]),
  assignAdd: plainCases<'assignAdd'>([valueFills, valueFills]),
  affine,
  dropout,
};
