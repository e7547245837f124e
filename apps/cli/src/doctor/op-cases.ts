import {
  dropoutRandom,
  noPadding,
  samePadding,
  transformLength,
  window2d,
  writeTransform,
  type OpKind,
  type SizedWindow2d,
  type Window2d,
} from '@skiplane/core';
import type { CaseBuilder } from './case-builder.ts';

/** Images, and what stands after a 3×3 convolution or pooling of stride 2 that keeps SAME's asymmetric padding. */
const image = [2, 8, 8, 16] as const;
const halved = [2, 4, 4, 16] as const;
const channels = [16] as const;
const logits = [5, 10] as const;
const filter = [3, 3, 16, 16] as const;

const same: Window2d = window2d(1, samePadding([8, 8], [3, 3], [1, 1]));
const strided: Window2d = window2d(2, samePadding([8, 8], [3, 3], [2, 2]));
const pool: SizedWindow2d = { ...strided, size: [3, 3] };
const wholes: SizedWindow2d = { ...window2d(4, noPadding), size: [4, 4] };
const smoothed = { labelSmoothing: 0.1 };

/** One small case of every op; an op that is added to the list fails to type-check until it has one here. */
export const opCases: { readonly [K in OpKind]: (c: CaseBuilder) => void } = {
  conv2d(c) {
    const residual = c.input(image);
    const inputs = [c.input(image), c.input(filter), c.input(channels), residual];
    c.check('conv2d', inputs, { window: same, bias: true, residual: true, activation: 'relu' });
  },
  conv2dBackpropInput(c) {
    const attrs = { window: strided, inputSize: [8, 8], residual: false, activationGrad: 'none' } as const;
    c.check('conv2dBackpropInput', [c.input(filter), c.input(halved)], attrs);
  },
  conv2dBackpropFilter(c) {
    c.check('conv2dBackpropFilter', [c.input(image), c.input(image)], { window: same, filterSize: [3, 3] });
  },
  biasAdd: (c) => c.check('biasAdd', [c.input(image), c.input(channels)], {}),
  biasAddGrad: (c) => c.check('biasAddGrad', [c.input(image)], {}),
  batchNormTraining(c) {
    const moving = [c.input(channels), c.input(channels, 'positive')];
    const inputs = [c.input(image), c.input(channels), c.input(channels), ...moving, c.input(image)];
    const attrs = {
      epsilon: 1e-3,
      momentum: 0.99,
      movingVariance: 'biased',
      residual: true,
      activation: 'relu',
    } as const;
    c.check('batchNormTraining', inputs, attrs);
  },
  batchNormRecompute(c) {
    const inputs = [c.input(image), c.input(channels), c.input(channels), c.input(image)];
    c.check('batchNormRecompute', inputs, { epsilon: 1e-3, residual: true, activation: 'relu' });
  },
  batchNormInference(c) {
    const statistics = [c.input(channels), c.input(channels, 'positive')];
    const inputs = [c.input(image), c.input(channels), c.input(channels), ...statistics];
    c.check('batchNormInference', inputs, { epsilon: 1e-3, residual: false, activation: 'none' });
  },
  batchNormGrad(c) {
    const inputs = [
      c.input(image),
      c.input(image),
      c.input(channels),
      c.input(channels),
      c.input(channels, 'positive'),
    ];
    c.check('batchNormGrad', inputs, { residual: false });
  },
  relu: (c) => c.check('relu', [c.input(image)], {}),
  reluGrad: (c) => c.check('reluGrad', [c.input(image), c.input(image)], {}),
  sigmoid: (c) => c.check('sigmoid', [c.input(image)], {}),
  sigmoidGrad: (c) => c.check('sigmoidGrad', [c.input(image), c.input(image, 'positive')], {}),
  add: (c) => c.check('add', [c.input(image), c.input(image)], {}),
  multiply: (c) => c.check('multiply', [c.input(image), c.input(image)], {}),
  affine: (c) => c.check('affine', [c.input(image)], { scale: 0.5, offset: -0.25 }),
  dropout(c) {
    const random = c.data([4], dropoutRandom(1, 2));
    c.check('dropout', [c.input(image), random], { keep: 0.5, scale: 2, stream: 3 });
  },
  maxPool2d: (c) => c.check('maxPool2d', [c.input(image)], { window: pool }),
  maxPool2dGrad(c) {
    const x = c.input(image);
    c.check('maxPool2dGrad', [c.input(halved), x, c.op('maxPool2d', [x], { window: pool })], { window: pool });
  },
  averagePool2d: (c) => c.check('averagePool2d', [c.input(image)], { window: wholes }),
  averagePool2dGrad: (c) => c.check('averagePool2dGrad', [c.input(halved)], { window: pool, inputSize: [8, 8] }),
  matMul(c) {
    c.check('matMul', [c.input([5, 64]), c.input([64, 10])], { transposeA: false, transposeB: false });
  },
  // A view of an input cannot be an output itself.
  reshape: (c) => c.check('relu', [c.op('reshape', [c.input(image)], { shape: [2, 8 * 8 * 16] })], {}),
  padChannels: (c) => c.check('padChannels', [c.input(halved)], { before: 8, after: 8 }),
  sliceChannels: (c) => c.check('sliceChannels', [c.input(halved)], { first: 3, count: 8 }),
  fill: (c) => c.check('fill', [], { shape: image, value: 0.75 }),
  broadcastScalar: (c) => c.check('broadcastScalar', [c.input([])], { shape: channels }),
  reduceSum: (c) => c.check('reduceSum', [c.input(image)], {}),
  l2Penalty: (c) => c.check('l2Penalty', [c.input(filter)], { scale: 1e-4 }),
  l2PenaltyGrad: (c) => c.check('l2PenaltyGrad', [c.input([]), c.input(filter)], { scale: 1e-4 }),
  softmax: (c) => c.check('softmax', [c.input(logits)], {}),
  softmaxGrad(c) {
    c.check('softmaxGrad', [c.input(logits), c.op('softmax', [c.input(logits)], {})], {});
  },
  softmaxCrossEntropy: (c) => c.check('softmaxCrossEntropy', [c.input(logits), c.input(logits, 'oneHot')], smoothed),
  softmaxCrossEntropyGrad(c) {
    c.check('softmaxCrossEntropyGrad', [c.input([5]), c.input(logits), c.input(logits, 'oneHot')], smoothed);
  },
  topKCorrect: (c) => c.check('topKCorrect', [c.input(logits), c.input(logits, 'oneHot')], { k: 3 }),
  adam(c) {
    const state = [c.input(filter), c.input(filter), c.input(filter, 'positive')];
    const attrs = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
    c.check('adam', [...state, c.input(filter), c.input([], 'positive')], attrs);
  },
  adamW(c) {
    const state = [c.input(filter), c.input(filter), c.input(filter, 'positive')];
    const attrs = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
    c.check('adamW', [...state, c.input(filter), c.input([], 'positive'), c.input([], 'positive')], attrs);
  },
  sgdMomentum(c) {
    const attrs = { momentum: 0.9, nesterov: true };
    const operands = () => [c.input(filter), c.input(filter), c.input(filter), c.input([], 'positive')];
    c.check('sgdMomentum', operands(), attrs);
    const overflown = c.data([], Float32Array.of(Number.POSITIVE_INFINITY));
    c.check('sgdMomentum', [...operands(), overflown], { ...attrs, guarded: true });
  },
  assignAdd: (c) => c.check('assignAdd', [c.input([]), c.input([])], {}),
  gatherImages(c) {
    const images = c.data(
      [3, 8, 8, 3],
      Uint8Array.from({ length: 3 * 8 * 8 * 3 }, (_, i) => (37 * i) % 256),
    );
    const values = c.data(
      [256],
      Float32Array.from({ length: 256 }, (_, byte) => byte / 255),
    );
    const transforms = new Float32Array(2 * transformLength);
    writeTransform(transforms, 0, { dy: 1.25, dx: -0.8, flip: true });
    writeTransform(transforms, 1, { dy: -2.6, dx: 0.3, flip: false });
    const inputs = [images, values, c.input([8, 8, 3]), c.data([2], Int32Array.of(2, 0))];
    const attrs = { transformed: true, interpolationOrder: 1 } as const;
    c.check('gatherImages', [...inputs, c.data([2, transformLength], transforms)], attrs);
  },
  quantize: (c) => c.check('quantize', [c.input(image)], { multiplier: 100 }),
  dequantize: (c) => c.check('dequantize', [c.input(image, 'byte')], { scale: 0.25 }),
  quantizedConv2d(c) {
    const operands = [c.input(image, 'byte'), c.input([3, 3, 16, 16], 'byte'), c.input(channels), c.input(channels)];
    const attrs = { window: same, residual: 0.5, activation: 'none' } as const;
    c.check('quantizedConv2d', [...operands, c.input(image, 'byte')], attrs);
  },
  unscaleGradient: (c) => c.check('unscaleGradient', [c.input(filter), c.data([], Float32Array.of(8))], {}),
  updateLossScale(c) {
    const inputs = [8, 1999, Number.POSITIVE_INFINITY].map((value) => c.data([], Float32Array.of(value)));
    c.check('updateLossScale', inputs, { growthSteps: 2000, minimum: 1, maximum: 2 ** 24 });
  },
};
