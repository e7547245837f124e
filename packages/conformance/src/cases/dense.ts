import * as fc from 'fast-check';
import type { FillKind } from '../data.ts';
import { operands, operandsArbitrary, shapeArbitrary, valueFills, type CaseSpec, type OpCases } from './op-cases.ts';

const sizes = {
  '1x1x1': [1, 1, 1],
  'the head, 32x64x10': [32, 64, 10],
  'one row': [1, 17, 10],
  'one column': [9, 33, 1],
  'inner 1': [7, 1, 5],
  'odd, 5x7x3': [5, 7, 3],
  'past every tile, 37x65x19': [37, 65, 19],
  'whole vectors, rows left over, 13x12x48': [13, 12, 48],
  'long inner': [3, 3000, 5],
} as const satisfies Record<string, readonly [rows: number, inner: number, columns: number]>;

type Sizes = readonly [rows: number, inner: number, columns: number];

function matMulSpec([rows, inner, columns]: Sizes, transposeA: boolean, transposeB: boolean) {
  return {
    attrs: { transposeA, transposeB },
    shapes: [transposeA ? [inner, rows] : [rows, inner], transposeB ? [columns, inner] : [inner, columns]],
  };
}

function matMulCases(): Record<string, CaseSpec<'matMul'>> {
  const cases: Record<string, CaseSpec<'matMul'>> = {};
  for (const [name, size] of Object.entries<Sizes>(sizes)) {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        const { attrs, shapes } = matMulSpec(size, transposeA, transposeB);
        const suffix = `${transposeA ? ', a transposed' : ''}${transposeB ? ', b transposed' : ''}`;
        cases[`${name}${suffix}`] = { attrs, operands: operands(shapes) };
      }
    }
  }
  for (const kind of valueFills) {
    const { attrs, shapes } = matMulSpec([5, 7, 3], false, false);
    cases[`odd, ${kind}`] = { attrs, operands: operands(shapes, kind) };
  }
  return cases;
}

const side = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 80 }));

const matMul: OpCases<'matMul'> = {
  named: matMulCases(),
  arbitrary: fc
    .record({ size: fc.tuple(side, side, side), transposeA: fc.boolean(), transposeB: fc.boolean() })
    .chain(({ size, transposeA, transposeB }) => {
      const { attrs, shapes } = matMulSpec(size, transposeA, transposeB);
      return operandsArbitrary(shapes).map((list) => ({ attrs, operands: list }));
    }),
};

const biasShapes = {
  'head, 32x10': [32, 10],
  '1 channel': [5, 1],
  image: [2, 3, 5, 17],
  'one position': [1, 64],
  'many positions': [4, 40, 40, 3],
} as const satisfies Record<string, readonly number[]>;

/** Cases of an op of one image and, for biasAdd, one vector of its channels. */
function biasCasesOf<K extends 'biasAdd' | 'biasAddGrad'>(
  shapesOf: (shape: readonly number[]) => readonly (readonly number[])[],
): OpCases<K> {
  const named: Record<string, CaseSpec<K>> = {};
  const spec = (shape: readonly number[], kind?: FillKind): CaseSpec<K> => ({
    attrs: {},
    operands: operands(shapesOf(shape), kind),
  });
  for (const [name, shape] of Object.entries<readonly number[]>(biasShapes)) named[name] = spec(shape);
  for (const kind of valueFills) named[kind] = spec([4, 3, 7], kind);
  return {
    named,
    arbitrary: shapeArbitrary
      .chain((shape) => operandsArbitrary(shapesOf(shape)))
      .map((list) => ({ attrs: {}, operands: list })),
  };
}

export const denseCases = {
  matMul,
  biasAdd: biasCasesOf<'biasAdd'>((shape) => [shape, shape.slice(-1)]),
  biasAddGrad: biasCasesOf<'biasAddGrad'>((shape) => [shape]),
};
