import type { InterpolationOrder } from '@skiplane/core';
import * as fc from 'fast-check';
import type { FillKind } from '../data.ts';
import { fillArbitrary, operand, type CaseSpec, type OpCases, type OperandSpec } from './op-cases.ts';

interface Geometry {
  readonly count: number;
  readonly image: readonly [height: number, width: number, channels: number];
  readonly batch: number;
}

/** The fills of values, mean and transforms; the kind and seed of bytes and indices are always the same. */
interface Filled {
  readonly values: OperandSpec['fill'];
  readonly mean: OperandSpec['fill'];
  readonly transforms: OperandSpec['fill'];
}

type Spec = CaseSpec<'gatherImages'>;

const transformFills = ['shifts', 'wholeShifts', 'halfShifts', 'farShifts'] as const satisfies readonly FillKind[];

function specOf({ count, image, batch }: Geometry, order: InterpolationOrder | null, filled: Filled): Spec {
  const { values, mean, transforms } = filled;
  const bytes = { kind: 'bytes', seed: 7 } as const;
  const operands: readonly OperandSpec[] = [
    { shape: [count, ...image], fill: bytes, dtype: 'u8' },
    { shape: [256], fill: values },
    { shape: image, fill: mean },
    { shape: [batch], fill: { ...bytes, seed: 8 }, dtype: 'i32' },
  ];
  return order === null
    ? { attrs: { transformed: false, interpolationOrder: 1 }, operands }
    : {
        attrs: { transformed: true, interpolationOrder: order },
        operands: [...operands, { shape: [batch, 7], fill: transforms }],
      };
}

const plain = (transforms: FillKind = 'shifts', values: FillKind = 'uniform'): Filled => ({
  values: operand([], values, 1).fill,
  mean: operand([], 'uniform', 2).fill,
  transforms: operand([], transforms, 3).fill,
});

/** Sizes at which bytes do not begin at a word, rows not at a vector, and where there is nothing to blend. */
const geometries = {
  CIFAR: { count: 9, image: [32, 32, 3], batch: 5 },
  'one channel, odd sizes': { count: 5, image: [7, 5, 1], batch: 6 },
  'one pixel': { count: 3, image: [1, 1, 3], batch: 4 },
  'one row': { count: 3, image: [1, 9, 2], batch: 3 },
  'one column': { count: 3, image: [9, 1, 4], batch: 3 },
  'one image': { count: 1, image: [4, 6, 5], batch: 3 },
} as const satisfies Record<string, Geometry>;

const orders = { still: null, nearest: 0, linear: 1 } as const;

function namedCases(): Record<string, Spec> {
  const named: Record<string, Spec> = {};
  for (const [name, geometry] of Object.entries<Geometry>(geometries)) {
    for (const [how, order] of Object.entries(orders)) named[`${name}, ${how}`] = specOf(geometry, order, plain());
  }
  for (const kind of transformFills) {
    for (const order of [0, 1] as const)
      named[`${kind}, order ${order}`] = specOf({ count: 6, image: [8, 9, 3], batch: 12 }, order, plain(kind));
  }
  for (const kind of ['wide', 'offset', 'zeros', 'subnormal'] as const)
    named[`values ${kind}`] = specOf(geometries['one channel, odd sizes'], 1, plain('shifts', kind));
  return named;
}

const valueKinds = ['uniform', 'positive', 'equal', 'offset', 'small', 'large', 'zeros'] as const;

export const imageCases = {
  gatherImages: {
    named: namedCases(),
    arbitrary: fc
      .record({
        geometry: fc.record({
          count: fc.integer({ min: 1, max: 9 }),
          image: fc.tuple(
            fc.integer({ min: 1, max: 12 }),
            fc.integer({ min: 1, max: 12 }),
            fc.integer({ min: 1, max: 6 }),
          ),
          batch: fc.integer({ min: 1, max: 9 }),
        }),
        order: fc.constantFrom<(InterpolationOrder | null)[]>(1, 0, null),
        filled: fc.record({
          values: fillArbitrary(valueKinds),
          mean: fillArbitrary(valueKinds),
          transforms: fillArbitrary(transformFills),
        }),
      })
      .map(({ geometry, order, filled }) => specOf(geometry, order, filled)),
    // The first and the last image are always there, where the batch has room for them.
    async derive(_attrs, [images, values, mean, bytes, ...rest], spec) {
      const count = spec.operands[0]?.shape[0] ?? 1;
      const indices = bytes?.map((byte, n) => (n === 0 ? count - 1 : n === 1 ? 0 : byte % count));
      return [images, values, mean, indices, ...rest].flatMap((data) => data ?? []);
    },
  } satisfies OpCases<'gatherImages'>,
};
