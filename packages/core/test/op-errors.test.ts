import { expect, test } from 'vitest';
import {
  GraphBuilder,
  noPadding,
  ShapeError,
  window2d,
  type OpAttrs,
  type OpKind,
  type TensorSpec,
} from '../src/index.ts';
import { messageOf } from './support/error-message.ts';

interface Misuse<K extends OpKind = OpKind> {
  readonly kind: K;
  readonly operands: readonly (readonly number[] | TensorSpec)[];
  readonly attrs: OpAttrs[K];
  readonly message: string;
}

const misuse = <K extends OpKind>(
  kind: K,
  operands: Misuse['operands'],
  attrs: OpAttrs[K],
  message: string,
): Misuse => ({ kind, operands, attrs, message });

const conv = { window: window2d(1), bias: false, residual: false, activation: 'none' } as const;
const norm = { epsilon: 1e-3, residual: false, activation: 'none' } as const;
const pool = { window: { size: [2, 2], ...window2d(2) } } as const;
const dense = { transposeA: false, transposeB: false };
const c = [5];

/** Each rule of `infer`, with the whole message. */
const misuses: readonly Misuse[] = [
  misuse('relu', [{ shape: [4], dtype: 'u8' }], {}, "relu 'op': x must be f32, but is u8[4]."),
  misuse(
    'conv2d',
    [
      [8, 8, 3],
      [3, 3, 3, 4],
    ],
    conv,
    "conv2d 'op': x must be [batch,height,width,channels], but is [8,8,3].",
  ),
  misuse(
    'conv2d',
    [
      [1, 8, 8, 3],
      [3, 4],
    ],
    conv,
    "conv2d 'op': filter must be [height,width,inChannels,outChannels], but is [3,4].",
  ),
  misuse(
    'conv2d',
    [[1, 8, 8, 3], [1, 1, 3, 4], [3]],
    { ...conv, bias: true },
    "conv2d 'op': bias must be [4] like the output channels, but is [3].",
  ),
  misuse(
    'conv2d',
    [
      [1, 8, 8, 3],
      [1, 1, 3, 4],
      [1, 4, 4, 4],
    ],
    { ...conv, residual: true },
    "conv2d 'op': residual must be [1,8,8,4] like the output, but is [1,4,4,4].",
  ),
  misuse(
    'conv2d',
    [
      [1, 2, 8, 3],
      [3, 3, 3, 4],
    ],
    conv,
    "conv2d 'op': a window of 3 does not fit a padded height of 2 (2 + 0).",
  ),
  misuse(
    'conv2dBackpropInput',
    [
      [3, 3, 2, 4],
      [1, 5, 5, 4],
    ],
    { window: window2d(1), inputSize: [8, 8], residual: false, activationGrad: 'none' },
    "conv2dBackpropInput 'op': dy must be [1,6,6,4] for an input of 8×8 and filter [3,3,2,4], but is [1,5,5,4].",
  ),
  misuse(
    'conv2dBackpropInput',
    [
      [3, 3, 2, 4],
      [1, 6, 6, 4],
      [1, 6, 6, 2],
    ],
    { window: window2d(1), inputSize: [8, 8], residual: false, activationGrad: 'relu' },
    "conv2dBackpropInput 'op': y must be [1,8,8,2] like the output, but is [1,6,6,2].",
  ),
  misuse(
    'conv2dBackpropFilter',
    [
      [1, 8, 8, 2],
      [1, 5, 6, 4],
    ],
    { window: window2d(1), filterSize: [3, 3] },
    "conv2dBackpropFilter 'op': dy must be [1,6,6,4] for x [1,8,8,2], but is [1,5,6,4].",
  ),
  misuse('biasAdd', [[2, 3], [2]], {}, "biasAdd 'op': bias must be [3] like the channels of x, but is [2]."),
  misuse('biasAdd', [[], [2]], {}, "biasAdd 'op': x must have a channel axis, but is a scalar."),
  misuse(
    'batchNormTraining',
    [[2, 5], c, c, [4], c],
    { ...norm, momentum: 0.9, movingVariance: 'biased' },
    "batchNormTraining 'op': movingMean must be [5] like the channels of x, but is [4].",
  ),
  misuse(
    'batchNormInference',
    [[2, 5], c, c, c, c, [2, 4]],
    { ...norm, residual: true },
    "batchNormInference 'op': residual must be [2,5] like x, but is [2,4].",
  ),
  misuse(
    'batchNormGrad',
    [[3, 5], [2, 5], c, c, c],
    { residual: false },
    "batchNormGrad 'op': dy must be [2,5] like x, but is [3,5].",
  ),
  misuse(
    'add',
    [
      [2, 3],
      [3, 2],
    ],
    {},
    "add 'op': b must be [2,3] like a, but is [3,2].",
  ),
  misuse('multiply', [[2, 3], [3]], {}, "multiply 'op': b must be [2,3] like a, but is [3]."),
  misuse('reluGrad', [[2], [3]], {}, "reluGrad 'op': y must be [2] like dy, but is [3]."),
  misuse('maxPool2d', [[4, 4]], pool, "maxPool2d 'op': x must be [batch,height,width,channels], but is [4,4]."),
  misuse(
    'maxPool2dGrad',
    [
      [1, 2, 2, 1],
      [1, 4, 4, 1],
      [1, 1, 2, 1],
    ],
    pool,
    "maxPool2dGrad 'op': y must be [1,2,2,1] like the pooled x, but is [1,1,2,1].",
  ),
  misuse(
    'averagePool2dGrad',
    [[1, 3, 2, 1]],
    { ...pool, inputSize: [4, 4] },
    "averagePool2dGrad 'op': dy must be [1,2,2,1] for an input of 4×4, but is [1,3,2,1].",
  ),
  misuse(
    'averagePool2d',
    [[1, 4, 4, 1]],
    { window: { size: [2, 2], strides: [2, 2], padding: { ...noPadding, top: 2 } } },
    'averagePool2d \'op\': padding {"top":2,"bottom":0,"left":0,"right":0} must be smaller than the window 2×2, else a window sees padding only.',
  ),
  misuse(
    'matMul',
    [
      [2, 3],
      [4, 5],
    ],
    dense,
    "matMul 'op': inner sizes must be equal, but are 3 of a [2,3] and 4 of b [4,5].",
  ),
  misuse(
    'matMul',
    [
      [2, 3, 4],
      [4, 5],
    ],
    dense,
    "matMul 'op': a must be [rows,inner], but is [2,3,4].",
  ),
  misuse(
    'matMul',
    [[2, 3], [3]],
    { transposeA: true, transposeB: true },
    "matMul 'op': b must be [columns,inner], but is [3].",
  ),
  misuse(
    'padChannels',
    [[2, 3]],
    { before: -1, after: 1.5 },
    "padChannels 'op': before of -1 must be a whole number of 0 or more.",
  ),
  misuse(
    'padChannels',
    [[]],
    { before: 1, after: 1 },
    "padChannels 'op': x must have a channel axis, but is a scalar.",
  ),
  misuse(
    'sliceChannels',
    [[2, 3]],
    { first: 2, count: 2 },
    "sliceChannels 'op': channels 2 to 3 do not lie within the 3 channels of x.",
  ),
  misuse(
    'sliceChannels',
    [[2, 3]],
    { first: 1, count: 0 },
    "sliceChannels 'op': count of 0 must be a whole number of 1 or more.",
  ),
  misuse('reshape', [[2, 3]], { shape: [4] }, "reshape 'op': x [2,3] has 6 elements, but [4] needs 4."),
  misuse(
    'reshape',
    [[2, 3]],
    { shape: [-2, -3] },
    "reshape 'op': sizes must be positive integers, but y would be f32[-2,-3].",
  ),
  misuse('fill', [], { shape: [0], value: 1 }, "fill 'op': sizes must be positive integers, but y would be f32[0]."),
  misuse('broadcastScalar', [[1]], { shape: [4] }, "broadcastScalar 'op': x must be [] (a scalar), but is [1]."),
  misuse('l2PenaltyGrad', [[2], [2]], { scale: 1 }, "l2PenaltyGrad 'op': dy must be [] (a scalar), but is [2]."),
  misuse('softmax', [[2, 3, 4]], {}, "softmax 'op': x must be [batch,classes], but is [2,3,4]."),
  misuse(
    'softmaxGrad',
    [
      [2, 3],
      [2, 4],
    ],
    {},
    "softmaxGrad 'op': y must be [2,3] like dy, but is [2,4].",
  ),
  misuse(
    'softmaxCrossEntropy',
    [[2, 3], [2]],
    { labelSmoothing: 0 },
    "softmaxCrossEntropy 'op': labels must be [2,3] like logits, but is [2].",
  ),
  misuse(
    'softmaxCrossEntropyGrad',
    [[3], [2, 3], [2, 3]],
    { labelSmoothing: 0 },
    "softmaxCrossEntropyGrad 'op': dLosses must be [2] one an example, but is [3].",
  ),
  misuse(
    'topKCorrect',
    [
      [2, 3],
      [2, 3],
    ],
    { k: 4 },
    "topKCorrect 'op': k of 4 must be 1 to 3, the number of classes.",
  ),
  misuse(
    'adam',
    [[2], [2], [3], [2], []],
    { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
    "adam 'op': v must be [2] like the parameter, but is [3].",
  ),
  misuse(
    'adam',
    [[2], [2], [2], [2], [1]],
    { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
    "adam 'op': stepSize must be [] (a scalar), but is [1].",
  ),
  misuse(
    'softmaxCrossEntropy',
    [
      [2, 3],
      [2, 3],
    ],
    { labelSmoothing: 1.5 },
    "softmaxCrossEntropy 'op': labelSmoothing of 1.5 must be from 0 to 1.",
  ),
  misuse(
    'adamW',
    [[2], [2], [2], [2], [], [2]],
    { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
    "adamW 'op': decay must be [] (a scalar), but is [2].",
  ),
  misuse(
    'sgdMomentum',
    [[2], [2], [3], []],
    { momentum: 0.9, nesterov: false },
    "sgdMomentum 'op': gradient must be [2] like the parameter, but is [3].",
  ),
  misuse('assignAdd', [[], [1]], {}, "assignAdd 'op': x must be [] like the accumulator, but is [1]."),
];

test.each(misuses)('$message', ({ kind, operands, attrs, message }) => {
  const build = new GraphBuilder('misuse');
  const inputs = operands.map((operand, i) =>
    build.input(`operand${i}`, 'dtype' in operand ? operand : { shape: operand, dtype: 'f32' }),
  );
  expect(messageOf(ShapeError, () => build.op<OpKind>(kind, inputs, attrs, 'op'))).toBe(message);
});
