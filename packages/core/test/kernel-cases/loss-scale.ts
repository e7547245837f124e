import { scalar, tensor } from '../support/tensor-data.ts';
import type { KernelCase, KernelCases } from './kernel-case.ts';

function update(
  title: string,
  [lossScale, goodSteps, norm]: readonly [number, number, number],
  [newScale, newSteps]: readonly [number, number],
): KernelCase<'updateLossScale'> {
  return {
    title,
    attrs: { growthSteps: 3, minimum: 1, maximum: 16 },
    operands: { lossScale: scalar(lossScale), goodSteps: scalar(goodSteps), norm: scalar(norm) },
    expected: { lossScale: [newScale], goodSteps: [newSteps] },
  };
}

export const lossScaleCases: KernelCases<'unscaleGradient' | 'updateLossScale'> = {
  unscaleGradient: [
    {
      title: 'divides',
      attrs: {},
      operands: { gradient: tensor([3], 4, 0, -1), lossScale: scalar(8) },
      expected: { unscaled: [0.5, 0, -0.125] },
    },
  ],
  updateLossScale: [
    update('counts', [8, 1, 5], [8, 2]),
    update('doubles after enough good steps', [4, 2, 5], [8, 0]),
    update('stays at its maximum', [16, 2, 5], [16, 0]),
    update('halves, and counts anew', [8, 2, Number.POSITIVE_INFINITY], [4, 0]),
    update('halves where nothing is a number', [8, 2, Number.NaN], [4, 0]),
    update('stays at its minimum', [1, 0, Number.NaN], [1, 0]),
  ],
};
