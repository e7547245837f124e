import { scalar, tensor } from '../support/tensor-data.ts';
import type { KernelCases } from './kernel-case.ts';

type Kinds = 'matMul' | 'reshape' | 'fill' | 'broadcastScalar' | 'reduceSum' | 'l2Penalty' | 'l2PenaltyGrad';

const a = tensor([2, 3], 1, 2, 3, 4, 5, 6);
const aTransposed = tensor([3, 2], 1, 4, 2, 5, 3, 6);
const b = tensor([3, 2], 7, 8, 9, 10, 11, 12);
const bTransposed = tensor([2, 3], 7, 9, 11, 8, 10, 12);
const product = { y: [58, 64, 139, 154] };

export const denseCases: KernelCases<Kinds> = {
  matMul: [
    { title: 'a·b', attrs: { transposeA: false, transposeB: false }, operands: { a, b }, expected: product },
    {
      title: 'aᵀ·b',
      attrs: { transposeA: true, transposeB: false },
      operands: { a: aTransposed, b },
      expected: product,
    },
    {
      title: 'a·bᵀ',
      attrs: { transposeA: false, transposeB: true },
      operands: { a, b: bTransposed },
      expected: product,
    },
    {
      title: 'aᵀ·bᵀ',
      attrs: { transposeA: true, transposeB: true },
      operands: { a: aTransposed, b: bTransposed },
      expected: product,
    },
    {
      title: 'a row times a column',
      attrs: { transposeA: false, transposeB: false },
      operands: { a: tensor([1, 2], 3, 4), b: tensor([2, 1], 5, 6) },
      expected: { y: [39] },
    },
  ],
  reshape: [
    { title: 'keeps row order', attrs: { shape: [3, 2] }, operands: { x: a }, expected: { y: [1, 2, 3, 4, 5, 6] } },
  ],
  fill: [{ title: 'one constant', attrs: { shape: [3], value: 2.5 }, operands: {}, expected: { y: [2.5, 2.5, 2.5] } }],
  broadcastScalar: [
    { title: 'one scalar', attrs: { shape: [2, 2] }, operands: { x: scalar(-4) }, expected: { y: [-4, -4, -4, -4] } },
  ],
  reduceSum: [{ title: 'all elements', attrs: {}, operands: { x: a }, expected: { y: [21] } }],
  l2Penalty: [
    { title: 'scale·Σ w²', attrs: { scale: 0.5 }, operands: { w: tensor([3], 1, -2, 3) }, expected: { y: [7] } },
  ],
  l2PenaltyGrad: [
    {
      title: '2·scale·dy·w',
      attrs: { scale: 0.5 },
      operands: { dy: scalar(2), w: tensor([3], 1, -2, 3) },
      expected: { dw: [2, -4, 6] },
    },
  ],
};
