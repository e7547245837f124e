import { tensor } from '../support/tensor-data.ts';
import type { KernelCases } from './kernel-case.ts';

const plain = { residual: false, activation: 'none' } as const;
const halfway = { momentum: 0.5, movingVariance: 'biased' } as const;
/** Mean 4, biased variance 5: with epsilon 4 the inverse deviation is 1/3. */
const fourPositions = {
  x: tensor([4, 1], 1, 3, 5, 7),
  gamma: tensor([1], 6),
  beta: tensor([1], 1),
  movingMean: tensor([1], 10),
  movingVariance: tensor([1], 1),
};

export const batchNormCases: KernelCases<
  'batchNormTraining' | 'batchNormRecompute' | 'batchNormInference' | 'batchNormGrad'
> = {
  batchNormTraining: [
    {
      title: 'one channel',
      attrs: { epsilon: 4, ...halfway, ...plain },
      operands: fourPositions,
      expected: { y: [-5, -1, 3, 7], mean: [4], inverseStd: [1 / 3], movingMean: [7], movingVariance: [3] },
    },
    {
      title: 'unbiased moving variance, residual, relu',
      attrs: { epsilon: 4, momentum: 0.5, movingVariance: 'unbiased', residual: true, activation: 'relu' },
      operands: { ...fourPositions, residual: tensor([4, 1], 5, 2, -3, 0.5) },
      expected: {
        y: [0, 1, 0, 7.5],
        mean: [4],
        inverseStd: [1 / 3],
        movingMean: [7],
        movingVariance: [0.5 + 0.5 * (20 / 3)],
      },
    },
    {
      title: 'two channels, momentum 0.9',
      attrs: { epsilon: 0, momentum: 0.9, movingVariance: 'biased', ...plain },
      operands: {
        x: tensor([2, 2], 1, 10, 3, 30),
        gamma: tensor([2], 1, 2),
        beta: tensor([2], 0, 1),
        movingMean: tensor([2], 0, 0),
        movingVariance: tensor([2], 1, 1),
      },
      expected: {
        y: [-1, -1, 1, 3],
        mean: [2, 20],
        inverseStd: [1, 0.1],
        movingMean: [0.2, 2],
        movingVariance: [1, 10.9],
      },
    },
    {
      title: 'a single position has the unbiased variance 0',
      attrs: { epsilon: 1, momentum: 0.5, movingVariance: 'unbiased', ...plain },
      operands: {
        x: tensor([1, 1], 5),
        gamma: tensor([1], 2),
        beta: tensor([1], 3),
        movingMean: tensor([1], 1),
        movingVariance: tensor([1], 2),
      },
      expected: { y: [3], mean: [5], inverseStd: [1], movingMean: [3], movingVariance: [1] },
    },
  ],
  batchNormRecompute: [
    {
      title: 'mean 4 and variance 5',
      attrs: { epsilon: 4, ...plain },
      operands: { x: fourPositions.x, gamma: fourPositions.gamma, beta: fourPositions.beta },
      expected: { y: [-5, -1, 3, 7] },
    },
    {
      title: 'with residual and relu',
      attrs: { epsilon: 4, residual: true, activation: 'relu' },
      operands: {
        x: fourPositions.x,
        gamma: fourPositions.gamma,
        beta: fourPositions.beta,
        residual: tensor([4, 1], 5, 2, -3, 0.5),
      },
      expected: { y: [0, 1, 0, 7.5] },
    },
  ],
  batchNormInference: [
    {
      title: 'variance 3 and epsilon 1',
      attrs: { epsilon: 1, ...plain },
      operands: {
        x: tensor([2, 1], 3, 7),
        gamma: tensor([1], 4),
        beta: tensor([1], -1),
        mean: tensor([1], 1),
        variance: tensor([1], 3),
      },
      expected: { y: [3, 11] },
    },
    {
      title: 'with residual and relu, two channels',
      attrs: { epsilon: 1, residual: true, activation: 'relu' },
      operands: {
        x: tensor([2, 2], 3, 1, 7, 1),
        gamma: tensor([2], 4, 1),
        beta: tensor([2], -1, 0),
        mean: tensor([2], 1, 0),
        variance: tensor([2], 3, 0),
        residual: tensor([2, 2], -4, 1, 1, 2),
      },
      expected: { y: [0, 2, 12, 3] },
    },
  ],
  batchNormGrad: [
    {
      title: 'dGamma 2, dBeta 4',
      attrs: { residual: false },
      operands: {
        dy: tensor([4, 1], 1, 0, 0, 3),
        x: tensor([4, 1], -1, -1, 1, 1),
        gamma: tensor([1], 3),
        mean: tensor([1], 0),
        inverseStd: tensor([1], 1),
      },
      // 3·(dy − 1 − x̂/2)
      expected: { dx: [1.5, -1.5, -4.5, 4.5], dGamma: [2], dBeta: [4] },
    },
    {
      title: 'with residual; mean and deviation enter x̂',
      attrs: { residual: true },
      operands: {
        dy: tensor([4, 1], 1, 0, 0, 3),
        x: tensor([4, 1], 8, 8, 12, 12),
        gamma: tensor([1], 6),
        mean: tensor([1], 10),
        inverseStd: tensor([1], 0.5),
        residual: tensor([4, 1], 1, 1, 1, 1),
      },
      expected: { dx: [2.5, -0.5, -3.5, 5.5], dGamma: [2], dBeta: [4] },
    },
  ],
};
