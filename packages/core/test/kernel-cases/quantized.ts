import { noPadding, window2d, type OpAttrs } from '../../src/index.ts';
import { tensor } from '../support/tensor-data.ts';
import type { KernelCase, KernelCases } from './kernel-case.ts';

const bytes = (shape: readonly number[], ...data: number[]) => ({ ...tensor(shape, ...data), dtype: 'i8' }) as const;

/** One pixel of two channels and a 1×1 filter: sums −20 and 300. */
function pixel(
  title: string,
  attrs: Omit<OpAttrs['quantizedConv2d'], 'window'>,
  residual: readonly number[],
  expected: readonly number[],
): KernelCase<'quantizedConv2d'> {
  return {
    title,
    attrs: { window: window2d(1, noPadding), ...attrs },
    operands: {
      x: bytes([1, 1, 1, 2], 10, -10),
      filter: bytes([1, 1, 2, 2], 3, 20, 5, -10),
      multiplier: tensor([2], 0.125, 0.25),
      bias: tensor([2], 1, -2.5),
      ...(attrs.residual !== null && { residual: bytes([1, 1, 1, 2], ...residual) }),
    },
    expected: { y: expected },
  };
}

export const quantizedCases: KernelCases<'quantize' | 'dequantize' | 'quantizedConv2d'> = {
  quantize: [
    {
      title: 'rounds halves to even, and clamps',
      attrs: { multiplier: 2 },
      operands: { x: tensor([9], 0.25, 0.75, -0.25, -0.75, 1.3, 200, -200, Number.NaN, Number.NEGATIVE_INFINITY) },
      expected: { y: [0, 2, 0, -2, 3, 127, -127, -127, -127] },
    },
  ],
  dequantize: [
    {
      title: 'multiplies',
      attrs: { scale: 0.5 },
      operands: { x: bytes([3], -127, 0, 3) },
      expected: { y: [-63.5, 0, 1.5] },
    },
  ],
  quantizedConv2d: [
    // −20/8 + 1 = −1.5, and 300/4 − 2.5 = 72.5.
    pixel('halves go to even', { residual: null, activation: 'none' }, [], [-2, 72]),
    pixel('relu', { residual: null, activation: 'relu' }, [], [0, 72]),
    pixel('a residual, clamped', { residual: 2, activation: 'none' }, [-100, 100], [-127, 127]),
    pixel('a residual', { residual: 0.5, activation: 'relu' }, [6, -7], [2, 69]),
  ],
};
