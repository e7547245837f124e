import { noPadding, window2d } from '../../src/index.ts';
import { tensor } from '../support/tensor-data.ts';
import type { KernelCases } from './kernel-case.ts';

const plain = { bias: false, residual: false, activation: 'none' } as const;
const oneToNine = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const bottomRight = { top: 0, bottom: 1, left: 0, right: 1 };
const topLeft = { top: 1, bottom: 0, left: 1, right: 0 };

export const convCases: KernelCases<'conv2d' | 'conv2dBackpropInput' | 'conv2dBackpropFilter'> = {
  conv2d: [
    {
      title: '2×2 on 3×3',
      attrs: { window: window2d(1), ...plain },
      operands: { x: tensor([1, 3, 3, 1], ...oneToNine), filter: tensor([2, 2, 1, 1], 1, 2, 3, 4) },
      // 1·1 + 2·2 + 4·3 + 5·4 and so on
      expected: { y: [37, 47, 67, 77] },
    },
    {
      title: 'padding at bottom and right only, stride 2',
      attrs: { window: window2d(2, bottomRight), ...plain },
      operands: { x: tensor([1, 2, 2, 1], 1, 2, 3, 4), filter: tensor([3, 3, 1, 1], ...oneToNine) },
      // 1·1 + 2·2 + 3·4 + 4·5
      expected: { y: [37] },
    },
    {
      title: 'two channels with bias, residual and relu',
      attrs: { window: window2d(1), bias: true, residual: true, activation: 'relu' },
      operands: {
        x: tensor([1, 1, 2, 2], 1, -1, 2, 3),
        filter: tensor([1, 1, 2, 2], 1, 2, 3, -4),
        bias: tensor([2], 1, -1),
        residual: tensor([1, 1, 2, 2], 10, -6, 0, 9.5),
      },
      // the convolution alone: −2, 6, 11, −8; with bias −1, 5, 12, −9
      expected: { y: [9, 0, 12, 0.5] },
    },
    {
      title: 'different strides along height and width, two images',
      attrs: { window: { strides: [2, 1], padding: noPadding }, ...plain },
      operands: { x: tensor([2, 3, 2, 1], 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), filter: tensor([1, 1, 1, 1], 2) },
      expected: { y: [2, 4, 10, 12, 14, 16, 22, 24] },
    },
  ],
  conv2dBackpropInput: [
    {
      title: '2×2 on 3×3',
      attrs: { window: window2d(1), inputSize: [3, 3], residual: false, activationGrad: 'none' },
      operands: { filter: tensor([2, 2, 1, 1], 1, 2, 3, 4), dy: tensor([1, 2, 2, 1], 1, 2, 3, 4) },
      expected: { dx: [1, 4, 4, 6, 20, 16, 9, 24, 16] },
    },
    {
      title: 'with residual, then masked by y > 0',
      attrs: { window: window2d(1), inputSize: [3, 3], residual: true, activationGrad: 'relu' },
      operands: {
        filter: tensor([2, 2, 1, 1], 1, 2, 3, 4),
        dy: tensor([1, 2, 2, 1], 1, 2, 3, 4),
        residual: tensor([1, 3, 3, 1], 1, 1, 1, 1, 1, 1, 1, 1, 1),
        y: tensor([1, 3, 3, 1], 1, 0, -1, 2, 3, 4, 0, 5, 6),
      },
      expected: { dx: [2, 0, 0, 7, 21, 17, 0, 25, 17] },
    },
    {
      title: 'elements that no window sees get 0',
      attrs: { window: window2d(2), inputSize: [2, 2], residual: false, activationGrad: 'none' },
      operands: { filter: tensor([1, 1, 2, 1], 2, 5), dy: tensor([1, 1, 1, 1], 3) },
      expected: { dx: [6, 15, 0, 0, 0, 0, 0, 0] },
    },
  ],
  conv2dBackpropFilter: [
    {
      title: '2×2 on 3×3',
      attrs: { window: window2d(1), filterSize: [2, 2] },
      operands: { x: tensor([1, 3, 3, 1], ...oneToNine), dy: tensor([1, 2, 2, 1], 1, 2, 3, 4) },
      expected: { dFilter: [37, 47, 67, 77] },
    },
    {
      title: 'channels: x outer dy, summed over the batch',
      attrs: { window: window2d(1), filterSize: [1, 1] },
      operands: { x: tensor([2, 1, 1, 2], 2, 3, 1, 0), dy: tensor([2, 1, 1, 2], 5, 7, 100, 200) },
      expected: { dFilter: [110, 214, 15, 21] },
    },
    {
      title: 'padding at top and left only',
      attrs: { window: window2d(1, topLeft), filterSize: [3, 3] },
      operands: { x: tensor([1, 2, 2, 1], 1, 2, 3, 4), dy: tensor([1, 1, 1, 1], 2) },
      expected: { dFilter: [0, 0, 0, 0, 2, 4, 0, 6, 8] },
    },
  ],
};
