import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Window2d } from '../src/index.ts';
import { runSingleOp } from './support/single-op.ts';
import { randomTensor, type TensorData } from './support/tensor-data.ts';

interface Convolution {
  readonly x: TensorData;
  readonly filter: TensorData;
  readonly dy: TensorData;
  readonly window: Window2d;
}

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const pad = fc.nat({ max: 2 });

/** Any convolution: strides and padding of their own along both axes, one to six channels, windows of any size that fits. */
const convolution: fc.Arbitrary<Convolution> = fc
  .record({
    batch: size(2),
    image: fc.tuple(size(7), size(7)),
    filter: fc.tuple(size(4), size(4)),
    channels: fc.tuple(size(6), size(6)),
    strides: fc.tuple(size(3), size(3)),
    padding: fc.record({ top: pad, bottom: pad, left: pad, right: pad }),
  })
  .filter(
    ({ image, filter, padding }) =>
      image[0] + padding.top + padding.bottom >= filter[0] && image[1] + padding.left + padding.right >= filter[1],
  )
  .map(({ batch, image, filter, channels: [inChannels, outChannels], strides, padding }) => {
    const outHeight = Math.floor((image[0] + padding.top + padding.bottom - filter[0]) / strides[0]) + 1;
    const outWidth = Math.floor((image[1] + padding.left + padding.right - filter[1]) / strides[1]) + 1;
    return {
      x: randomTensor([batch, ...image, inChannels], 'x'),
      filter: randomTensor([...filter, inChannels, outChannels], 'filter'),
      dy: randomTensor([batch, outHeight, outWidth, outChannels], 'dy'),
      window: { strides, padding },
    };
  });

/** An element of a tensor by its indices, 0 outside of the image. */
function element({ shape, data }: TensorData, ...indices: readonly number[]): number {
  if (indices.some((index, axis) => index < 0 || index >= (shape[axis] ?? 0))) return 0;
  return data[indices.reduce((at, index, axis) => at * (shape[axis] ?? 0) + index, 0)] ?? Number.NaN;
}

/** The formula of the definition, element by element: y = Σ x·filter. */
function byDefinition({ x, filter, dy, window: { strides, padding } }: Convolution): number[] {
  const [filterHeight = 0, filterWidth = 0, inChannels = 0, outChannels = 0] = filter.shape;
  const [batch = 0, outHeight = 0, outWidth = 0] = dy.shape;
  const y: number[] = [];
  for (let n = 0; n < batch; n++)
    for (let i = 0; i < outHeight; i++)
      for (let j = 0; j < outWidth; j++)
        for (let k = 0; k < outChannels; k++) {
          let sum = 0;
          for (let r = 0; r < filterHeight; r++)
            for (let s = 0; s < filterWidth; s++)
              for (let c = 0; c < inChannels; c++) {
                const h = i * strides[0] + r - padding.top;
                const w = j * strides[1] + s - padding.left;
                sum += element(x, n, h, w, c) * element(filter, r, s, c, k);
              }
          y.push(sum);
        }
  return y;
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, at) => sum + value * (b[at] ?? Number.NaN), 0);

const plain = { bias: false, residual: false, activation: 'none' } as const;

test('conv2d is the formula of its definition', async () => {
  await fc.assert(
    fc.asyncProperty(convolution, async (conv) => {
      const { y = [] } = await runSingleOp(
        'conv2d',
        { window: conv.window, ...plain },
        { x: conv.x, filter: conv.filter },
      );
      const expected = byDefinition(conv);
      expect(y).toHaveLength(expected.length);
      expect(Math.max(...y.map((value, at) => Math.abs(value - (expected[at] ?? Number.NaN))))).toBeLessThan(1e-13);
    }),
  );
});

// The convolution is linear in x and in the filter: ⟨dy, conv2d(x, filter)⟩ = ⟨dx, x⟩ = ⟨dFilter, filter⟩.
test('both gradients are adjoint to conv2d', async () => {
  await fc.assert(
    fc.asyncProperty(convolution, async ({ x, filter, dy, window }) => {
      const [, height = 0, width = 0] = x.shape;
      const [filterHeight = 0, filterWidth = 0] = filter.shape;
      const inputAttrs = { window, inputSize: [height, width], residual: false, activationGrad: 'none' } as const;
      const filterAttrs = { window, filterSize: [filterHeight, filterWidth] } as const;
      const { y = [] } = await runSingleOp('conv2d', { window, ...plain }, { x, filter });
      const { dx = [] } = await runSingleOp('conv2dBackpropInput', inputAttrs, { filter, dy });
      const { dFilter = [] } = await runSingleOp('conv2dBackpropFilter', filterAttrs, { x, dy });
      const product = dot(dy.data, y);
      expect(Math.abs(dot(dx, x.data) - product)).toBeLessThan(1e-11);
      expect(Math.abs(dot(dFilter, filter.data) - product)).toBeLessThan(1e-11);
    }),
  );
});
