import { noPadding, window2d, type OpAttrs, type OpKind, type SizedWindow2d, type Window2d } from '../src/index.ts';
import type { OperandData } from './support/single-op.ts';
import { randomTensor, scalar, tensor } from './support/tensor-data.ts';

export interface GradientCase<K extends OpKind> {
  readonly title: string;
  readonly attrs: OpAttrs[K];
  readonly operands: OperandData;
  /** Operands that have a gradient (default all). */
  readonly wrt?: readonly string[];
}

/** An op that nobody differentiates, or one without operands. */
type NoCase = 'not differentiable' | 'no operands';

const switches = [false, true];
const activations = ['none', 'relu'] as const;
const none = { bias: false, residual: false, activation: 'none' } as const;

const x = (name: string, ...shape: number[]) => randomTensor(shape, name);

interface ConvSizes {
  readonly image: readonly [height: number, width: number];
  readonly filter: readonly [height: number, width: number];
  readonly out: readonly [height: number, width: number];
  readonly window: Window2d;
}

function convCase(
  title: string,
  sizes: ConvSizes,
  fused: Omit<OpAttrs['conv2d'], 'window'> = none,
): GradientCase<'conv2d'> {
  const { image, filter, out, window } = sizes;
  return {
    title,
    attrs: { window, ...fused },
    operands: {
      x: x(`conv/x/${title}`, 2, ...image, 2),
      filter: x(`conv/filter/${title}`, ...filter, 2, 3),
      ...(fused.bias ? { bias: x(`conv/bias/${title}`, 3) } : {}),
      ...(fused.residual ? { residual: x(`conv/residual/${title}`, 2, ...out, 3) } : {}),
    },
  };
}

const odd: ConvSizes = {
  image: [5, 3],
  filter: [3, 3],
  out: [5, 3],
  window: window2d(1, { top: 1, bottom: 1, left: 1, right: 1 }),
};

const convCases: readonly GradientCase<'conv2d'>[] = [
  convCase('stride 1, same padding, odd sizes', odd),
  convCase('stride 2, padding at bottom and right', {
    image: [4, 6],
    filter: [3, 3],
    out: [2, 3],
    window: window2d(2, { top: 0, bottom: 1, left: 0, right: 1 }),
  }),
  convCase('stride 3, padding at top and left', {
    image: [5, 5],
    filter: [2, 3],
    out: [2, 2],
    window: window2d(3, { top: 1, bottom: 0, left: 2, right: 0 }),
  }),
  convCase('1×1 at stride 2', { image: [3, 4], filter: [1, 1], out: [2, 2], window: window2d(2) }),
  convCase('strides 2 and 1, filter as large as the padded image', {
    image: [3, 2],
    filter: [4, 3],
    out: [1, 1],
    window: { strides: [2, 1], padding: { top: 0, bottom: 1, left: 1, right: 0 } },
  }),
  ...activations.flatMap((activation) =>
    switches.flatMap((bias) =>
      switches.map((residual) =>
        convCase(`bias ${bias}, residual ${residual}, activation ${activation}`, odd, { bias, residual, activation }),
      ),
    ),
  ),
];

const channelOperands = (name: string) => ({ gamma: x(`${name}/gamma`, 3), beta: x(`${name}/beta`, 3) });

const batchNormTrainingCases: readonly GradientCase<'batchNormTraining'>[] = activations.flatMap((activation) =>
  switches.map((residual) => ({
    title: `residual ${residual}, activation ${activation}`,
    attrs: { epsilon: 1e-3, momentum: 0.99, movingVariance: 'biased', residual, activation } as const,
    operands: {
      x: x(`bn/x/${activation}`, 3, 2, 2, 3),
      ...channelOperands('bn'),
      movingMean: x('bn/mean', 3),
      movingVariance: randomTensor([3], 'bn/variance', 0.5, 2),
      ...(residual ? { residual: x('bn/residual', 3, 2, 2, 3) } : {}),
    },
    wrt: ['x', 'gamma', 'beta', ...(residual ? ['residual'] : [])],
  })),
);

const batchNormInferenceCases: readonly GradientCase<'batchNormInference'>[] = activations.flatMap((activation) =>
  switches.map((residual) => ({
    title: `residual ${residual}, activation ${activation}`,
    attrs: { epsilon: 1e-3, residual, activation } as const,
    operands: {
      x: x(`bni/x/${activation}`, 2, 2, 2, 3),
      ...channelOperands('bni'),
      mean: x('bni/mean', 3),
      variance: randomTensor([3], 'bni/variance', 0.5, 2),
      ...(residual ? { residual: x('bni/residual', 2, 2, 2, 3) } : {}),
    },
    wrt: ['x', 'gamma', 'beta', ...(residual ? ['residual'] : [])],
  })),
);

const windows: readonly (readonly [title: string, window: SizedWindow2d, height: number, width: number])[] = [
  ['2×2 at stride 2', { size: [2, 2], strides: [2, 2], padding: noPadding }, 4, 4],
  [
    '3×3 at stride 2, padding at bottom and right',
    { size: [3, 3], strides: [2, 2], padding: { top: 0, bottom: 1, left: 0, right: 1 } },
    4,
    6,
  ],
  [
    '3×2 at strides 1 and 3, padding at the top',
    { size: [3, 2], strides: [1, 3], padding: { top: 2, bottom: 0, left: 0, right: 0 } },
    3,
    5,
  ],
  ['the whole image', { size: [3, 5], strides: [1, 1], padding: noPadding }, 3, 5],
];

const poolCases = (name: string) =>
  windows.map(([title, window, height, width]) => ({
    title,
    attrs: { window },
    operands: { x: x(`${name}/${title}`, 2, height, width, 2) },
  }));

const matMulCases: readonly GradientCase<'matMul'>[] = switches.flatMap((transposeA) =>
  switches.map((transposeB) => ({
    title: `transposeA ${transposeA}, transposeB ${transposeB}`,
    attrs: { transposeA, transposeB },
    operands: { a: transposeA ? x('a', 4, 3) : x('a', 3, 4), b: transposeB ? x('b', 5, 4) : x('b', 4, 5) },
  })),
);

const simple = <K extends OpKind>(
  attrs: OpAttrs[K],
  operands: OperandData,
  wrt?: readonly string[],
): readonly GradientCase<K>[] => [{ title: 'random operands', attrs, operands, ...(wrt === undefined ? {} : { wrt }) }];

/** Every op has cases or a reason to have none: one without does not type-check. */
export const gradientCases: { readonly [K in OpKind]: readonly GradientCase<K>[] | NoCase } = {
  conv2d: convCases,
  conv2dBackpropInput: 'not differentiable',
  conv2dBackpropFilter: 'not differentiable',
  biasAdd: simple<'biasAdd'>({}, { x: x('bias/x', 2, 2, 3), bias: x('bias/bias', 3) }),
  biasAddGrad: 'not differentiable',
  batchNormTraining: batchNormTrainingCases,
  batchNormRecompute: 'not differentiable',
  batchNormInference: batchNormInferenceCases,
  batchNormGrad: 'not differentiable',
  relu: simple<'relu'>({}, { x: x('relu', 4, 5) }),
  reluGrad: 'not differentiable',
  sigmoid: simple<'sigmoid'>({}, { x: randomTensor([4, 5], 'sigmoid', -6, 6) }),
  sigmoidGrad: 'not differentiable',
  add: simple<'add'>({}, { a: x('add/a', 3, 2), b: x('add/b', 3, 2) }),
  multiply: simple<'multiply'>({}, { a: x('multiply/a', 3, 2), b: x('multiply/b', 3, 2) }),
  affine: simple<'affine'>({ scale: -1.5, offset: 0.25 }, { x: x('affine', 3, 2) }),
  dropout: simple<'dropout'>(
    { keep: 0.6, scale: 2, stream: 3 },
    { x: x('dropout', 5, 7), random: { shape: [4], dtype: 'i32', data: [1, 2, 3, 4] } },
    ['x'],
  ),
  maxPool2d: poolCases('maxPool'),
  maxPool2dGrad: 'not differentiable',
  averagePool2d: poolCases('averagePool'),
  averagePool2dGrad: 'not differentiable',
  matMul: matMulCases,
  reshape: simple<'reshape'>({ shape: [3, 4] }, { x: x('reshape', 2, 6) }),
  padChannels: simple<'padChannels'>({ before: 1, after: 2 }, { x: x('padChannels', 2, 2, 3) }),
  sliceChannels: simple<'sliceChannels'>({ first: 1, count: 2 }, { x: x('sliceChannels', 2, 2, 5) }),
  fill: 'no operands',
  broadcastScalar: simple<'broadcastScalar'>({ shape: [2, 3] }, { x: scalar(0.7) }),
  reduceSum: simple<'reduceSum'>({}, { x: x('reduceSum', 2, 3) }),
  l2Penalty: simple<'l2Penalty'>({ scale: 1e-4 }, { w: x('l2', 3, 3, 2, 2) }),
  l2PenaltyGrad: 'not differentiable',
  softmax: simple<'softmax'>({}, { x: randomTensor([3, 4], 'softmax', -3, 3) }),
  softmaxGrad: 'not differentiable',
  softmaxCrossEntropy: [
    {
      title: 'one-hot labels',
      attrs: { labelSmoothing: 0 },
      operands: { logits: randomTensor([2, 3], 'logits', -3, 3), labels: tensor([2, 3], 0, 1, 0, 1, 0, 0) },
      wrt: ['logits'],
    },
    {
      title: 'weighted labels',
      attrs: { labelSmoothing: 0 },
      operands: { logits: randomTensor([2, 3], 'logits', -3, 3), labels: randomTensor([2, 3], 'labels', 0, 1) },
      wrt: ['logits'],
    },
    {
      title: 'smoothed labels',
      attrs: { labelSmoothing: 0.3 },
      operands: { logits: randomTensor([2, 3], 'logits', -3, 3), labels: randomTensor([2, 3], 'labels', 0, 1) },
      wrt: ['logits'],
    },
  ],
  softmaxCrossEntropyGrad: 'not differentiable',
  topKCorrect: 'not differentiable',
  adam: 'not differentiable',
  adamW: 'not differentiable',
  sgdMomentum: 'not differentiable',
  assignAdd: 'not differentiable',
  gatherImages: 'not differentiable',
  quantize: 'not differentiable',
  dequantize: 'not differentiable',
  quantizedConv2d: 'not differentiable',
  unscaleGradient: 'not differentiable',
  updateLossScale: 'not differentiable',
};
