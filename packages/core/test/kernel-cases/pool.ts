import { noPadding } from '../../src/index.ts';
import { tensor } from '../support/tensor-data.ts';
import type { KernelCases } from './kernel-case.ts';

const sliding = { size: [2, 2], strides: [1, 1], padding: noPadding } as const;
/** 2×2 windows at stride 2 over 3×3, the last ones hanging over the edge. */
const hanging = { size: [2, 2], strides: [2, 2], padding: { top: 0, bottom: 1, left: 0, right: 1 } } as const;
const image = tensor([1, 3, 3, 1], 1, 5, 2, 3, 4, 8, 9, 0, 7);

export const poolCases: KernelCases<'maxPool2d' | 'maxPool2dGrad' | 'averagePool2d' | 'averagePool2dGrad'> = {
  maxPool2d: [
    { title: 'overlapping windows', attrs: { window: sliding }, operands: { x: image }, expected: { y: [5, 8, 9, 8] } },
    {
      title: 'padding never wins over negative elements',
      attrs: { window: hanging },
      operands: { x: tensor([1, 3, 3, 1], -1, -2, -3, -4, -5, -6, -7, -8, -9) },
      expected: { y: [-1, -3, -7, -9] },
    },
    {
      title: 'two channels, two images',
      attrs: { window: { size: [1, 2], strides: [1, 2], padding: noPadding } },
      operands: { x: tensor([2, 1, 2, 2], 1, 8, 2, 7, -1, 0, -3, 4) },
      expected: { y: [2, 8, -1, 4] },
    },
  ],
  maxPool2dGrad: [
    {
      title: 'overlapping windows add up',
      attrs: { window: sliding },
      operands: { dy: tensor([1, 2, 2, 1], 1, 2, 3, 4), x: image, y: tensor([1, 2, 2, 1], 5, 8, 9, 8) },
      expected: { dx: [0, 1, 0, 0, 0, 6, 3, 0, 0] },
    },
    {
      title: 'a tie goes to the first in row order',
      attrs: { window: sliding },
      operands: { dy: tensor([1, 1, 1, 1], 5), x: tensor([1, 2, 2, 1], 0, 1, 1, 1), y: tensor([1, 1, 1, 1], 1) },
      expected: { dx: [0, 5, 0, 0] },
    },
  ],
  averagePool2d: [
    {
      title: 'padding is left out of the count',
      attrs: { window: hanging },
      operands: { x: tensor([1, 3, 3, 1], 1, 2, 3, 4, 5, 6, 7, 8, 9) },
      expected: { y: [3, 4.5, 7.5, 9] },
    },
  ],
  averagePool2dGrad: [
    {
      title: 'each dy is shared by the elements of its window',
      attrs: { window: hanging, inputSize: [3, 3] },
      operands: { dy: tensor([1, 2, 2, 1], 4, 2, 6, 5) },
      expected: { dx: [1, 1, 1, 1, 1, 1, 3, 3, 5] },
    },
    {
      title: 'overlapping windows add up',
      attrs: { window: sliding, inputSize: [3, 3] },
      operands: { dy: tensor([1, 2, 2, 1], 4, 8, 12, 16) },
      expected: { dx: [1, 3, 2, 4, 10, 6, 3, 7, 4] },
    },
  ],
};
