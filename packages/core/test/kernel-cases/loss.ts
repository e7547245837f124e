import { scalar, tensor } from '../support/tensor-data.ts';
import type { KernelCase, KernelCases } from './kernel-case.ts';

type Kinds =
  | 'softmax'
  | 'softmaxGrad'
  | 'softmaxCrossEntropy'
  | 'softmaxCrossEntropyGrad'
  | 'topKCorrect'
  | 'adam'
  | 'adamW'
  | 'sgdMomentum'
  | 'assignAdd';

/** Logits of the probabilities ¼ and ¾. */
const quarters = [0, Math.log(3)];
const ranked = tensor([3, 3], 3, 1, 2, 1, 1, 1, 1, 1, 1);

export const lossCases: KernelCases<Kinds> = {
  softmax: [
    {
      title: 'rows of their own; large logits do not overflow',
      attrs: {},
      operands: { x: tensor([2, 2], ...quarters, 1000, 1000) },
      expected: { y: [0.25, 0.75, 0.5, 0.5] },
    },
  ],
  softmaxGrad: [
    {
      title: 'y·(dy − Σ dy·y)',
      attrs: {},
      operands: { dy: tensor([1, 2], 1, 0), y: tensor([1, 2], 0.25, 0.75) },
      expected: { dx: [0.1875, -0.1875] },
    },
  ],
  softmaxCrossEntropy: [
    {
      title: 'one-hot and smoothed labels, large logits',
      attrs: { labelSmoothing: 0 },
      operands: {
        logits: tensor([3, 2], ...quarters, ...quarters, 1000, 0),
        labels: tensor([3, 2], 0, 1, 0.5, 0.5, 0, 1),
      },
      expected: { losses: [-Math.log(0.75), -0.5 * (Math.log(0.25) + Math.log(0.75)), 1000] },
    },
    {
      title: 'labels [0, 1] smoothed to [0.1, 0.9]',
      attrs: { labelSmoothing: 0.2 },
      operands: { logits: tensor([1, 2], ...quarters), labels: tensor([1, 2], 0, 1) },
      expected: { losses: [-0.1 * Math.log(0.25) - 0.9 * Math.log(0.75)] },
    },
  ],
  softmaxCrossEntropyGrad: [
    {
      title: 'dLoss·(softmax·Σ labels − labels)',
      attrs: { labelSmoothing: 0 },
      operands: {
        dLosses: tensor([2], 2, 1),
        logits: tensor([2, 2], ...quarters, ...quarters),
        labels: tensor([2, 2], 0, 1, 2, 0),
      },
      expected: { dLogits: [0.5, -0.5, -1.5, 1.5] },
    },
    {
      title: 'labels [0, 2] smoothed to [0.1, 1.7]',
      attrs: { labelSmoothing: 0.2 },
      operands: { dLosses: tensor([1], 2), logits: tensor([1, 2], ...quarters), labels: tensor([1, 2], 0, 2) },
      expected: { dLogits: [0.7, -0.7] },
    },
  ],
  topKCorrect: [
    {
      title: 'the best; of equal logits the first',
      attrs: { k: 1 },
      operands: { logits: ranked, labels: tensor([3, 3], 0, 0, 1, 1, 0, 0, 0, 1, 0) },
      expected: { correct: [0, 1, 0] },
    },
    {
      title: 'the best two',
      attrs: { k: 2 },
      operands: { logits: ranked, labels: tensor([3, 3], 0, 0, 1, 0, 0, 1, 0.2, 0.5, 0.3) },
      expected: { correct: [1, 0, 1] },
    },
    {
      title: 'NaN is never correct',
      attrs: { k: 3 },
      operands: { logits: tensor([1, 3], 1, Number.NaN, 0), labels: tensor([1, 3], 1, 0, 0) },
      expected: { correct: [0] },
    },
  ],
  adam: [
    {
      title: 'one step',
      attrs: { beta1: 0.5, beta2: 0.75, epsilon: 1 },
      operands: {
        parameter: tensor([2], 1, -1),
        m: tensor([2], 0.5, 0),
        v: tensor([2], 4, 0),
        gradient: tensor([2], 2, 0),
        stepSize: scalar(0.1),
      },
      // m = 0.25 + 1, v = 3 + 1
      expected: { parameter: [1 - (0.1 * 1.25) / 3, -1], m: [1.25, 0], v: [4, 0] },
    },
    ...[Number.POSITIVE_INFINITY, Number.NaN].map((norm): KernelCase<'adam'> => ({
      title: `no step where the norm is ${norm}`,
      attrs: { beta1: 0.5, beta2: 0.75, epsilon: 1, guarded: true },
      operands: {
        parameter: tensor([2], 1, -1),
        m: tensor([2], 0.5, 0),
        v: tensor([2], 4, 0),
        gradient: tensor([2], Number.NaN, 3),
        stepSize: scalar(0.1),
        norm: scalar(norm),
      },
      expected: { parameter: [1, -1], m: [0.5, 0], v: [4, 0] },
    })),
  ],
  adamW: [
    {
      title: 'the decay, then one step',
      attrs: { beta1: 0.5, beta2: 0.75, epsilon: 1 },
      operands: {
        parameter: tensor([2], 1, -1),
        m: tensor([2], 0.5, 0),
        v: tensor([2], 4, 0),
        gradient: tensor([2], 2, 0),
        stepSize: scalar(0.1),
        decay: scalar(0.25),
      },
      expected: { parameter: [0.75 - (0.1 * 1.25) / 3, -0.75], m: [1.25, 0], v: [4, 0] },
    },
    ...[Number.POSITIVE_INFINITY, Number.NaN].map((norm): KernelCase<'adamW'> => ({
      title: `no step where the norm is ${norm}`,
      attrs: { beta1: 0.5, beta2: 0.75, epsilon: 1, guarded: true },
      operands: {
        parameter: tensor([2], 1, -1),
        m: tensor([2], 0.5, 0),
        v: tensor([2], 4, 0),
        gradient: tensor([2], Number.NaN, 3),
        stepSize: scalar(0.1),
        decay: scalar(0.25),
        norm: scalar(norm),
      },
      expected: { parameter: [1, -1], m: [0.5, 0], v: [4, 0] },
    })),
  ],
  sgdMomentum: [
    {
      title: 'without momentum: gradient descent, m the last move',
      attrs: { momentum: 0, nesterov: true },
      operands: { parameter: tensor([1], 1), m: tensor([1], 9), gradient: tensor([1], 2), learningRate: scalar(0.5) },
      expected: { parameter: [0], m: [-1] },
    },
    {
      title: 'momentum',
      attrs: { momentum: 0.5, nesterov: false },
      operands: {
        parameter: tensor([2], 1, 2),
        m: tensor([2], 3, -4),
        gradient: tensor([2], 2, 0),
        learningRate: scalar(0.25),
      },
      expected: { parameter: [2, 0], m: [1, -2] },
    },
    {
      title: 'momentum of Nesterov: a step further along the new m',
      attrs: { momentum: 0.5, nesterov: true },
      operands: {
        parameter: tensor([2], 1, 2),
        m: tensor([2], 3, -4),
        gradient: tensor([2], 2, 0),
        learningRate: scalar(0.25),
      },
      expected: { parameter: [1, 1], m: [1, -2] },
    },
    ...[Number.POSITIVE_INFINITY, Number.NaN].map((norm): KernelCase<'sgdMomentum'> => ({
      title: `no step where the norm is ${norm}`,
      attrs: { momentum: 0.5, nesterov: false, guarded: true },
      operands: {
        parameter: tensor([2], 1, -1),
        m: tensor([2], 0.5, 0),
        gradient: tensor([2], Number.NaN, 3),
        learningRate: scalar(0.1),
        norm: scalar(norm),
      },
      expected: { parameter: [1, -1], m: [0.5, 0] },
    })),
  ],
  assignAdd: [
    {
      title: 'adds up',
      attrs: {},
      operands: { accumulator: tensor([2], 1, 2), x: tensor([2], 10, 20) },
      expected: { accumulator: [11, 22] },
    },
  ],
};
