import { describe, expect, test } from 'vitest';
import { opKinds, window2d, type OpAttrs, type OpKind } from '../src/index.ts';
import { createReferenceBackend } from '../src/reference/index.ts';
import { kernelCases } from './kernel-cases/index.ts';
import type { KernelCase } from './kernel-cases/kernel-case.ts';
import { differences } from './support/differences.ts';
import { runSingleOp, type OperandData } from './support/single-op.ts';
import { scalar, tensor } from './support/tensor-data.ts';

const magnitudesOf = <K extends OpKind>(kind: K, attrs: OpAttrs[K], operands: OperandData) =>
  runSingleOp(kind, attrs, operands, createReferenceBackend({ magnitudes: true }));

describe.each(opKinds)('magnitudes of %s', (kind) => {
  const cases: readonly KernelCase<OpKind>[] = kernelCases[kind];
  test.each(cases)('are at least the result: $title', async ({ attrs, operands, expected }) => {
    const magnitudes = await magnitudesOf(kind, attrs, operands);
    const tooSmall = Object.entries(expected).flatMap(([name, values]) =>
      values.flatMap((value, at) => {
        const magnitude = magnitudes[name]?.[at] ?? Number.NaN;
        return magnitude >= Math.abs(value) * (1 - 1e-12) ? [] : [`${name}[${at}]: ${magnitude} < |${value}|`];
      }),
    );
    expect(tooSmall).toEqual([]);
  });
});

interface Case<K extends OpKind = OpKind> {
  readonly kind: K;
  readonly attrs: OpAttrs[K];
  readonly operands: OperandData;
  readonly expected: Readonly<Record<string, readonly number[]>>;
}

const magnitude = <K extends OpKind>(
  kind: K,
  attrs: OpAttrs[K],
  operands: OperandData,
  expected: Case['expected'],
): Case => ({
  kind,
  attrs,
  operands,
  expected,
});

const byHand: readonly Case[] = [
  magnitude(
    'conv2d',
    { window: window2d(1), bias: true, residual: true, activation: 'relu' },
    {
      x: tensor([1, 1, 2, 2], 1, -1, 2, 3),
      filter: tensor([1, 1, 2, 2], 1, 2, 3, -4),
      bias: tensor([2], 1, -1),
      residual: tensor([1, 1, 2, 2], 10, -6, 0, 9.5),
    },
    { y: [4 + 1 + 10, 6 + 1 + 6, 11 + 1, 16 + 1 + 9.5] },
  ),
  magnitude(
    'conv2dBackpropInput',
    { window: window2d(1), inputSize: [1, 1], residual: true, activationGrad: 'relu' },
    {
      filter: tensor([1, 1, 2, 2], 1, -2, 3, 4),
      dy: tensor([1, 1, 1, 2], -5, 6),
      residual: tensor([1, 1, 1, 2], -100, 7),
      y: tensor([1, 1, 1, 2], 1, -1),
    },
    { dx: [5 + 12 + 100, 0] },
  ),
  magnitude(
    'matMul',
    { transposeA: false, transposeB: false },
    { a: tensor([1, 2], 1, -2), b: tensor([2, 1], 3, 4) },
    { y: [11] },
  ),
  magnitude(
    'batchNormTraining',
    { epsilon: 4, momentum: 0.5, movingVariance: 'biased', residual: true, activation: 'none' },
    {
      x: tensor([4, 1], -1, 3, 5, 9),
      gamma: tensor([1], -2),
      beta: tensor([1], -1),
      movingMean: tensor([1], -10),
      movingVariance: tensor([1], 1),
      residual: tensor([4, 1], -1, 0, 0, 0),
    },
    // The true statistics are mean 4 and variance 13; y = 2·(|x| + 4)/√17 + 1 + |residual|.
    {
      y: [10 / Math.sqrt(17) + 2, 14 / Math.sqrt(17) + 1, 18 / Math.sqrt(17) + 1, 26 / Math.sqrt(17) + 1],
      mean: [4.5],
      inverseStd: [1 / Math.sqrt(17)],
      movingMean: [5 + 2.25],
      movingVariance: [0.5 + (25 + 49 + 81 + 169) / 8],
    },
  ),
  magnitude(
    'batchNormInference',
    { epsilon: 1, residual: false, activation: 'relu' },
    {
      x: tensor([2, 1], -3, 7),
      gamma: tensor([1], -4),
      beta: tensor([1], -1),
      mean: tensor([1], 1),
      variance: tensor([1], 3),
    },
    { y: [9, 17] },
  ),
  magnitude(
    'batchNormGrad',
    { residual: false },
    {
      dy: tensor([2, 1], 1, -3),
      x: tensor([2, 1], -1, 3),
      gamma: tensor([1], -3),
      mean: tensor([1], 1),
      inverseStd: tensor([1], 0.5),
    },
    // x̂: 1 and 2; dBeta = 1 + 3, dGamma = 1 + 6; dx = 3·0.5·(|dy| + 2 + x̂·3.5)
    { dx: [1.5 * (1 + 2 + 3.5), 1.5 * (3 + 2 + 7)], dGamma: [7], dBeta: [4] },
  ),
  magnitude('affine', { scale: -3, offset: -1 }, { x: tensor([2], 1, -2) }, { y: [4, 7] }),
  magnitude('sigmoidGrad', {}, { dy: tensor([1], -2), y: tensor([1], 0.25) }, { dx: [0.625] }),
  magnitude('l2PenaltyGrad', { scale: -0.5 }, { dy: scalar(-2), w: tensor([2], 1, -3) }, { dw: [2, 6] }),
  magnitude('l2Penalty', { scale: -0.5 }, { w: tensor([2], 1, -3) }, { y: [5] }),
  magnitude('fill', { shape: [1], value: -2 }, {}, { y: [2] }),
  magnitude(
    'softmaxGrad',
    {},
    { dy: tensor([1, 2], 1, -1), y: tensor([1, 2], 0.25, 0.75) },
    { dx: [0.25 * 2, 0.75 * 2] },
  ),
  magnitude(
    'softmaxCrossEntropyGrad',
    { labelSmoothing: 0 },
    { dLosses: tensor([1], -2), logits: tensor([1, 2], 0, Math.log(3)), labels: tensor([1, 2], 0, 1) },
    { dLogits: [0.5, 3.5] },
  ),
  magnitude(
    'maxPool2dGrad',
    { window: { size: [2, 2], ...window2d(1) } },
    { dy: tensor([1, 1, 1, 1], -5), x: tensor([1, 2, 2, 1], -4, -1, -3, -2), y: tensor([1, 1, 1, 1], -1) },
    { dx: [0, 5, 0, 0] },
  ),
  magnitude(
    'adam',
    { beta1: 0.5, beta2: 0.75, epsilon: 1 },
    {
      parameter: tensor([1], -1),
      m: tensor([1], 0.5),
      v: tensor([1], 4),
      gradient: tensor([1], -2),
      stepSize: scalar(0.1),
    },
    { parameter: [1 + 0.125 / 3], m: [1.25], v: [4] },
  ),
  magnitude(
    'adamW',
    { beta1: 0.5, beta2: 0.75, epsilon: 1 },
    {
      parameter: tensor([1], -1),
      m: tensor([1], 0.5),
      v: tensor([1], 4),
      gradient: tensor([1], -2),
      stepSize: scalar(0.1),
      decay: scalar(0.25),
    },
    { parameter: [1.25 + 0.125 / 3], m: [1.25], v: [4] },
  ),
  magnitude(
    'sgdMomentum',
    { momentum: 0.5, nesterov: true },
    { parameter: tensor([1], -1), m: tensor([1], 3), gradient: tensor([1], 2), learningRate: scalar(0.25) },
    { parameter: [1 + 1 + 0.5], m: [2] },
  ),
];

test.each(byHand)('magnitudes of $kind by hand', async ({ kind, attrs, operands, expected }) => {
  expect(differences(await magnitudesOf(kind, attrs, operands), expected, 1e-13)).toEqual([]);
});

test('the backend says that it computes magnitudes', () => {
  expect(createReferenceBackend({ magnitudes: true }).info).toMatchObject({
    device: 'float64 loops over magnitudes',
    features: ['float64', 'magnitudes'],
  });
});
