import { noPadding, type OpAttrs, type Padding2d } from '@skiplane/core';
import * as fc from 'fast-check';
import type { Fill, FillKind } from '../data.ts';
import { channelsArbitrary, fillArbitrary, operand, shapeArbitrary, type CaseSpec, type OpCases } from './op-cases.ts';

/** Numbers that nothing flushes to zero: what is rounded must be exact. */
const normalFills = [
  'uniform',
  'equal',
  'positive',
  'negative',
  'large',
  'small',
  'integers',
] as const satisfies readonly FillKind[];

const bytes = (shape: readonly number[], seed: number, kind: FillKind = 'signedBytes') =>
  ({ shape, fill: { kind, seed }, dtype: 'i8' }) as const;

const quantize: OpCases<'quantize'> = {
  named: {
    'halves go to even': { attrs: { multiplier: 0.5 }, operands: [operand([7, 9], 'integers')] },
    'most are clamped': { attrs: { multiplier: 300 }, operands: [operand([3, 5, 7])] },
    'more than a task': { attrs: { multiplier: 127 }, operands: [operand([5, 3301])] },
    'a NaN is the least': { attrs: { multiplier: 1 }, operands: [operand([20], 'nan')] },
    'infinity is the largest': { attrs: { multiplier: 1 }, operands: [operand([20], 'infinite')] },
  },
  arbitrary: fc
    .record({
      shape: shapeArbitrary,
      fill: fillArbitrary(normalFills),
      multiplier: fc.constantFrom(1, 17.3, 1e-4, 127),
    })
    .map(({ shape, fill, multiplier }) => ({ attrs: { multiplier }, operands: [{ shape, fill }] })),
};

const dequantize: OpCases<'dequantize'> = {
  named: {
    'every byte': { attrs: { scale: 0.037 }, operands: [bytes([4, 257], 1)] },
    'one row': { attrs: { scale: 1 }, operands: [bytes([1], 3)] },
    'more than a task': { attrs: { scale: 3 }, operands: [bytes([5, 3301], 2)] },
  },
  arbitrary: fc
    .record({ shape: shapeArbitrary, seed: fc.nat({ max: 1000 }), scale: fc.constantFrom(1, 1e-3, 17.3) })
    .map(({ shape, seed, scale }) => ({ attrs: { scale }, operands: [bytes(shape, seed + 1)] })),
};

interface Geometry {
  readonly image: readonly [batch: number, height: number, width: number, inChannels: number];
  readonly filter: readonly [height: number, width: number];
  readonly outChannels: number;
  readonly stride: number;
  readonly padding: Padding2d;
}

type Epilogue = Pick<OpAttrs['quantizedConv2d'], 'residual' | 'activation'>;

const around = (size: number): Padding2d => ({ top: size, bottom: size, left: size, right: size });

/** Results of all sizes: multipliers as large as the sums are long, biases up to the clamps. */
const typical: Fill = { kind: 'positive', seed: 3 };

function convCase(
  { image, filter, outChannels, stride, padding }: Geometry,
  { residual, activation }: Epilogue,
  kind: FillKind = 'signedBytes',
  multiplier: Fill = typical,
): CaseSpec<'quantizedConv2d'> {
  const [batch, height, width, inChannels] = image;
  const out = (size: number, pad: number, window: number): number => Math.floor((size + pad - window) / stride) + 1;
  const y = [
    batch,
    out(height, padding.top + padding.bottom, filter[0]),
    out(width, padding.left + padding.right, filter[1]),
    outChannels,
  ];
  return {
    attrs: { window: { strides: [stride, stride], padding }, residual, activation },
    operands: [
      bytes(image, 1, kind),
      bytes([...filter, inChannels, outChannels], 2, kind),
      { shape: [outChannels], fill: multiplier },
      operand([outChannels], 'large', 4),
      ...(residual === null ? [] : [bytes(y, 5)]),
    ],
  };
}

const three = [3, 3] as const;
const plain = { residual: null, activation: 'none' } as const;
const full = { residual: 0.37, activation: 'relu' } as const;

const quantizedConv2d: OpCases<'quantizedConv2d'> = {
  named: {
    'a block of ResNet-20': convCase(
      { image: [3, 8, 8, 16], filter: three, outChannels: 16, stride: 1, padding: around(1) },
      full,
    ),
    'the largest sums that Winograd takes': convCase(
      { image: [1, 4, 4, 224], filter: three, outChannels: 16, stride: 1, padding: around(1) },
      plain,
      'lowestBytes',
    ),
    'more channels than Winograd takes': convCase(
      { image: [1, 4, 4, 232], filter: three, outChannels: 16, stride: 1, padding: around(1) },
      plain,
      'lowestBytes',
    ),
    'tiles that leave the image': convCase(
      { image: [2, 7, 9, 8], filter: three, outChannels: 20, stride: 1, padding: around(1) },
      full,
    ),
    'tiles without padding': convCase(
      { image: [1, 11, 6, 24], filter: three, outChannels: 4, stride: 1, padding: noPadding },
      plain,
    ),
    'the first layer': convCase(
      { image: [2, 32, 32, 3], filter: three, outChannels: 16, stride: 1, padding: around(1) },
      { ...plain, activation: 'relu' },
    ),
    'stride 2, padded below and right': convCase(
      {
        image: [2, 8, 8, 16],
        filter: three,
        outChannels: 32,
        stride: 2,
        padding: { top: 0, bottom: 1, left: 0, right: 1 },
      },
      full,
    ),
    'a projection': convCase(
      { image: [2, 8, 8, 16], filter: [1, 1], outChannels: 32, stride: 2, padding: noPadding },
      plain,
    ),
    'odd everything': convCase(
      {
        image: [1, 5, 7, 5],
        filter: [2, 3],
        outChannels: 7,
        stride: 1,
        padding: { top: 1, bottom: 0, left: 2, right: 1 },
      },
      full,
    ),
    'one pixel': convCase({ image: [2, 1, 1, 8], filter: three, outChannels: 16, stride: 1, padding: around(1) }, full),
    'multipliers that are NaN': convCase(
      { image: [1, 4, 4, 8], filter: three, outChannels: 8, stride: 1, padding: around(1) },
      plain,
      'signedBytes',
      { kind: 'nan', seed: 1 },
    ),
  },
  arbitrary: fc
    .record({
      image: fc.tuple(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 10 }),
        fc.oneof(fc.constantFrom(8, 16, 32), channelsArbitrary),
      ),
      filter: fc.oneof(fc.constant(three), fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }))),
      outChannels: fc.oneof(fc.constantFrom(8, 16, 32), channelsArbitrary),
      stride: fc.constantFrom(1, 1, 2, 3),
      pad: fc.integer({ min: 1, max: 2 }),
      residual: fc.constantFrom(null, 0.37, 1),
      activation: fc.constantFrom('none' as const, 'relu' as const),
    })
    .map(({ pad, residual, activation, ...geometry }) =>
      convCase({ ...geometry, padding: around(pad) }, { residual, activation }),
    ),
  // Multipliers for sums of random bytes that are some tens afterwards, and biases likewise.
  async derive(_attrs, [x, filter, multiplier, bias, ...rest], spec) {
    const [filterHeight = 1, filterWidth = 1, inChannels = 1] = spec.operands[1]?.shape ?? [];
    const typicalSum = 74 * 74 * Math.sqrt(filterHeight * filterWidth * inChannels);
    const scaled = [multiplier?.map((value) => (40 * value) / typicalSum), bias?.map((value) => value / 2e4)];
    return [x, filter, ...scaled, ...rest].flatMap((data) => data ?? []);
  },
};

export const quantizedCases = { quantize, dequantize, quantizedConv2d };
