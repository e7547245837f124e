import { describe, expect, it } from 'vitest';
import {
  GraphBuilder,
  opDef,
  transformLength,
  ValueError,
  valueOf,
  writeTransform,
  type OpAttrs,
  type TensorSpec,
} from '../src/index.ts';
import { runSingleOp } from './support/single-op.ts';
import { randomTensor, tensor, type TensorData } from './support/tensor-data.ts';

const operands = (index: number, ...transform: readonly number[]) => ({
  images: { shape: [3, 2, 2, 1], dtype: 'u8', data: Array.from({ length: 12 }, (_, i) => i) } as const,
  values: randomTensor([256], 'values'),
  mean: randomTensor([2, 2, 1], 'mean'),
  indices: { ...tensor([1], index), dtype: 'i32' } satisfies TensorData,
  transforms: tensor([1, transformLength], ...transform),
});
const attrs = { transformed: true, interpolationOrder: 1 } as const;

interface Specs {
  readonly images: TensorSpec;
  readonly values: TensorSpec;
  readonly mean: TensorSpec;
  readonly indices: TensorSpec;
  readonly transforms: TensorSpec;
}

const f32 = (...shape: number[]): TensorSpec => ({ shape, dtype: 'f32' });
const fitting: Specs = {
  images: { shape: [9, 2, 3, 1], dtype: 'u8' },
  values: f32(256),
  mean: f32(2, 3, 1),
  indices: { shape: [4], dtype: 'i32' },
  transforms: f32(4, 7),
};

function inferred(given: OpAttrs['gatherImages'], specs: Specs): void {
  const build = new GraphBuilder('misuse');
  const { images, values, mean, indices, transforms } = specs;
  const inputs = [images, values, mean, indices, transforms].map((spec, i) => build.input(`operand ${i}`, spec));
  build.op('gatherImages', inputs, given, 'op');
}

describe('gatherImages', () => {
  it.each<readonly [string, Partial<Specs>, string]>([
    ['images that are no bytes', { images: f32(9, 2, 3, 1) }, 'images must be u8, but is f32[9,2,3,1]'],
    [
      'images without channels',
      { images: { shape: [2, 3, 1], dtype: 'u8' } },
      'images must be [count,height,width,channels], but is [2,3,1]',
    ],
    ['too few values', { values: f32(255) }, 'values must be [256] (a number for each byte), but is [255]'],
    ['a mean of another size', { mean: f32(3, 2, 1) }, 'mean must be [2,3,1] like an image, but is [3,2,1]'],
    ['indices that are no integers', { indices: f32(4) }, 'indices must be i32, but is f32[4]'],
    ['a matrix of indices', { indices: { shape: [2, 2], dtype: 'i32' } }, 'indices must be [batch], but is [2,2]'],
    [
      'short transforms',
      { transforms: f32(4, 3) },
      'transforms must be [4,7] (two shifts of three numbers each, and a flip, for each index), but is [4,3]',
    ],
  ])('refuses %s', (_what, changed, message) => {
    expect(() => inferred(attrs, { ...fitting, ...changed })).toThrow(`gatherImages 'op': ${message}.`);
  });

  it('refuses other orders, and transforms that it is not to read', () => {
    expect(() => inferred({ ...attrs, interpolationOrder: 3 as 0 }, fitting)).toThrow(
      "gatherImages 'op': interpolationOrder of 3 must be 0 or 1.",
    );
    expect(() => inferred({ ...attrs, transformed: false }, fitting)).toThrow(
      "gatherImages 'op' takes 4 operands (images, values, mean, indices), but got 5",
    );
  });

  it.each([-1, 3, 1.5])('refuses index %d', async (index) => {
    const run = runSingleOp('gatherImages', attrs, operands(index, 0, 0, 0, 0, 0, 0, 0));
    await expect(run).rejects.toThrow(ValueError);
    await expect(run).rejects.toThrow(`gatherImages: index ${index} of image 0 must be 0 to 2, as images has 3.`);
  });

  it('refuses a shift that is not finite', async () => {
    const run = runSingleOp('gatherImages', attrs, operands(1, Number.NaN, 0, 0, 1, 0, 0, 0));
    await expect(run).rejects.toThrow('gatherImages: the shift of image 0 is (NaN, 1), but must be finite.');
  });

  it('costs the bytes of its batch, not of the data set', () => {
    const build = new GraphBuilder('gather');
    const inputs = [
      build.input('images', { shape: [50_000, 32, 32, 3], dtype: 'u8' }),
      build.input('values', { shape: [256], dtype: 'f32' }),
      build.input('mean', { shape: [32, 32, 3], dtype: 'f32' }),
      build.input('indices', { shape: [8], dtype: 'i32' }),
    ];
    const still = { transformed: false, interpolationOrder: 1 } as const;
    const x = build.op('gatherImages', inputs, still);
    const graph = build.build();
    const specs = inputs.map((id) => valueOf(graph, id));
    const pixels = 8 * 32 * 32 * 3;
    expect(opDef('gatherImages').cost(specs, [valueOf(graph, x)], still)).toEqual({
      flops: pixels,
      bytes: pixels + 4 * (256 + 32 * 32 * 3 + 8) + 4 * pixels,
    });
  });
});

describe('writeTransform', () => {
  it('keeps every float64 shift exactly', () => {
    const transforms = new Float32Array(2 * transformLength);
    const shifts = [3.2 * (0.123456789 - 0.5), -1e-9, 1 / 3, Math.PI * 1e5, -0.1, 0, 2 - 1e-13, 0.5 - 2 ** -50];
    for (const dy of shifts) {
      for (const dx of shifts) {
        writeTransform(transforms, 1, { dy, dx, flip: dy < dx });
        const [, , , , , , , a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, flip] = transforms;
        expect([a + b + c, d + e + f, flip]).toEqual([dy, dx, dy < dx ? 1 : 0]);
      }
    }
    expect(transforms.subarray(0, transformLength).every((value) => value === 0)).toBe(true);
  });
});
