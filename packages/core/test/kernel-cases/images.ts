import { tensor, type TensorData } from '../support/tensor-data.ts';
import type { KernelCases } from './kernel-case.ts';

/** Two images of 2×3 pixels, one channel, whose bytes stand for their tenth; the mean is 0.5 in the first pixel alone. */
const operands = {
  images: { ...tensor([2, 2, 3, 1], 0, 10, 20, 30, 40, 50, 100, 110, 120, 130, 140, 255), dtype: 'u8' },
  values: tensor([256], ...Array.from({ length: 256 }, (_, byte) => byte / 10)),
  mean: tensor([2, 3, 1], 0.5, 0, 0, 0, 0, 0),
} satisfies Record<string, TensorData>;

const indices = (...data: readonly number[]): TensorData => ({ ...tensor([data.length], ...data), dtype: 'i32' });
const first = [-0.5, 1, 2, 3, 4, 5];

export const imageCases: KernelCases<'gatherImages'> = {
  gatherImages: [
    {
      title: 'any images, in any order and more than once',
      attrs: { transformed: false, interpolationOrder: 1 },
      operands: { ...operands, indices: indices(1, 0, 1) },
      expected: { x: [9.5, 11, 12, 13, 14, 25.5, ...first, 9.5, 11, 12, 13, 14, 25.5] },
    },
    {
      title: 'shifts of whole pixels keep to the edge, and flips come after them',
      attrs: { transformed: true, interpolationOrder: 1 },
      operands: {
        ...operands,
        indices: indices(0, 0, 0),
        transforms: tensor([3, 7], 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 0, 0, 1, -9, 0, 0, 9, 0, 0, 0),
      },
      expected: { x: [3, 4, 5, 3, 4, 5, 1, -0.5, -0.5, 4, 3, 3, 2, 2, 2, 2, 2, 2] },
    },
    {
      title: 'linear between pixels; a shift is a sum',
      attrs: { transformed: true, interpolationOrder: 1 },
      operands: {
        ...operands,
        indices: indices(0),
        transforms: tensor([1, 7], 1, -0.5, -0.25, 0.5, 0, 0, 0),
      },
      // Rows ¾·first + ¼·second, the last one itself; then the mean of neighbours.
      expected: { x: [(0.375 + 1.75) / 2, 2.25, 2.75, 3.5, 4.5, 5] },
    },
    {
      title: 'the nearest pixel; of two equally near the next',
      attrs: { transformed: true, interpolationOrder: 0 },
      operands: {
        ...operands,
        indices: indices(0, 0),
        transforms: tensor([2, 7], 0.25, 0, 0, 0.5, 0, 0, 0, 0.5, -0.001, 0, -0.4, 0, 0, 1),
      },
      expected: { x: [1, 2, 2, 4, 5, 5, 2, 1, -0.5, 5, 4, 3] },
    },
  ],
};
