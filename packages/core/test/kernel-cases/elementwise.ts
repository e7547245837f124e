import { tensor } from '../support/tensor-data.ts';
import type { KernelCases } from './kernel-case.ts';

type Kinds =
  | 'relu'
  | 'reluGrad'
  | 'sigmoid'
  | 'sigmoidGrad'
  | 'add'
  | 'multiply'
  | 'affine'
  | 'dropout'
  | 'biasAdd'
  | 'biasAddGrad'
  | 'padChannels'
  | 'sliceChannels';

export const elementwiseCases: KernelCases<Kinds> = {
  relu: [
    { title: 'keeps what is positive', attrs: {}, operands: { x: tensor([3], -2, 0, 3) }, expected: { y: [0, 0, 3] } },
  ],
  reluGrad: [
    {
      title: 'is 0 at 0',
      attrs: {},
      operands: { dy: tensor([3], 5, 6, 7), y: tensor([3], 0, 0.001, -1) },
      expected: { dx: [0, 6, 0] },
    },
  ],
  sigmoid: [
    {
      title: '1/(1 + e^−x)',
      attrs: {},
      operands: { x: tensor([5], 0, Math.log(3), -Math.log(3), 800, -800) },
      expected: { y: [0.5, 0.75, 0.25, 1, 0] },
    },
  ],
  sigmoidGrad: [
    {
      title: 'dy·y·(1 − y)',
      attrs: {},
      operands: { dy: tensor([2], 2, 4), y: tensor([2], 0.5, 0.25) },
      expected: { dx: [0.5, 0.75] },
    },
  ],
  add: [
    {
      title: 'a + b',
      attrs: {},
      operands: { a: tensor([2], 1, 2), b: tensor([2], 10, -5) },
      expected: { y: [11, -3] },
    },
  ],
  multiply: [
    { title: 'a·b', attrs: {}, operands: { a: tensor([2], 3, 2), b: tensor([2], 10, -5) }, expected: { y: [30, -10] } },
  ],
  affine: [
    { title: '3x + 1', attrs: { scale: 3, offset: 1 }, operands: { x: tensor([2], 1, -2) }, expected: { y: [4, -5] } },
  ],
  // Of the known answer of Philox4x32-10 for zeros, 6627e8d5 e169c58d bc57ac4c 9b00dbd8, the first word and the last are less than 0.61·2³².
  dropout: [
    {
      title: 'keeps what has a small number',
      attrs: { keep: 0.61, scale: 2, stream: 0 },
      operands: {
        x: tensor([16], 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0),
        random: { shape: [4], dtype: 'i32', data: [0, 0, 0, 0] },
      },
      expected: { y: [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0] },
    },
  ],
  biasAdd: [
    {
      title: 'one number a channel',
      attrs: {},
      operands: { x: tensor([2, 2], 1, 2, 3, 4), bias: tensor([2], 10, 20) },
      expected: { y: [11, 22, 13, 24] },
    },
  ],
  biasAddGrad: [
    {
      title: 'sums over all axes but channels',
      attrs: {},
      operands: { dy: tensor([2, 1, 2], 1, 2, 3, 4) },
      expected: { dBias: [4, 6] },
    },
  ],
  padChannels: [
    {
      title: 'one zero before and two after the channels of each position',
      attrs: { before: 1, after: 2 },
      operands: { x: tensor([2, 2], 1, 2, 3, 4) },
      expected: { y: [0, 1, 2, 0, 0, 0, 3, 4, 0, 0] },
    },
    { title: 'none', attrs: { before: 0, after: 0 }, operands: { x: tensor([2], 1, 2) }, expected: { y: [1, 2] } },
  ],
  sliceChannels: [
    {
      title: 'the middle of three channels',
      attrs: { first: 1, count: 1 },
      operands: { x: tensor([2, 3], 1, 2, 3, 4, 5, 6) },
      expected: { y: [2, 5] },
    },
    { title: 'all', attrs: { first: 0, count: 2 }, operands: { x: tensor([2], 1, 2) }, expected: { y: [1, 2] } },
  ],
};
