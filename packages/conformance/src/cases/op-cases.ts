import type { DType, OpAttrs, OpKind } from '@skiplane/core';
import * as fc from 'fast-check';
import type { Fill, FillKind } from '../data.ts';

export interface OperandSpec {
  readonly shape: readonly number[];
  readonly fill: Fill;
  /** Default f32; what fills it is converted. */
  readonly dtype?: DType;
}

/** One op with its attributes and operands, in the order of the op's definition: all that a run depends on. */
export interface CaseSpec<K extends OpKind> {
  readonly attrs: OpAttrs[K];
  readonly operands: readonly OperandSpec[];
}

/** The cases of an op: edges that have a name, and an arbitrary for all the rest. */
export interface OpCases<K extends OpKind> {
  readonly named: Readonly<Record<string, CaseSpec<K>>>;
  readonly arbitrary: fc.Arbitrary<CaseSpec<K>>;
  /** Replaces operands that follow from the others, such as the maxima of a pool; gets and returns all of them. */
  readonly derive?: (
    attrs: OpAttrs[K],
    data: readonly Float32Array[],
    spec: CaseSpec<K>,
  ) => Promise<readonly Float32Array[]>;
}

export type CaseTable = { readonly [K in OpKind]: OpCases<K> };

/** An operand of a named case; `seed` tells operands of one case apart. */
export function operand(shape: readonly number[], kind: FillKind = 'uniform', seed = 1): OperandSpec {
  return { shape, fill: { kind, seed } };
}

/** Operands of the given shapes, all of one fill but with different elements. */
export function operands(shapes: readonly (readonly number[])[], kind: FillKind = 'uniform'): readonly OperandSpec[] {
  return shapes.map((shape, i) => operand(shape, kind, i + 1));
}

/** Fills fit for any operand that may be any number. */
export const valueFills = [
  'uniform',
  'zeros',
  'equal',
  'positive',
  'negative',
  'wide',
  'large',
  'small',
  'subnormal',
  'signedZeros',
  'integers',
  'sparse',
  'offset',
] as const satisfies readonly FillKind[];

/** {@link valueFills} for operands that an op compares: flushing subnormals, which a backend may, would change its choice. */
export const comparedFills = valueFills.filter((kind) => kind !== 'subnormal');

export function fillArbitrary(kinds: readonly FillKind[] = valueFills): fc.Arbitrary<Fill> {
  // Half of all fills are the first kind: several odd operands at once hide each other's errors.
  const [first = 'uniform'] = kinds;
  return fc.record({
    kind: fc.oneof(fc.constant(first), fc.constantFrom(...kinds)),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
  });
}

/** Operands of shapes that are known before their fills; `kinds[i]` are the fills allowed for operand i. */
export function operandsArbitrary(
  shapes: readonly (readonly number[])[],
  kinds: readonly (readonly FillKind[] | undefined)[] = [],
): fc.Arbitrary<readonly OperandSpec[]> {
  return fc.tuple(...shapes.map((shape, i) => fillArbitrary(kinds[i]).map((fill) => ({ shape, fill }))));
}

export const channelsArbitrary = fc.constantFrom(1, 3, 5, 7, 10, 16, 17, 32, 64);

/** Shapes of rank 1 to 4 with at most a few hundred elements. */
export const shapeArbitrary = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 300 })),
  fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 20 })),
  fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 6 }),
    fc.integer({ min: 1, max: 6 }),
    channelsArbitrary,
  ),
);

/** Shapes [batch, height, width, channels] that are small, odd or not square. */
export const nhwcArbitrary = fc.tuple(
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 1, max: 9 }),
  channelsArbitrary,
);
