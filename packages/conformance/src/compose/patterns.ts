import type { OpKind, ValueId } from '@skiplane/core';
import type { GraphCase } from '../op-graph.ts';
import { convolution, type Composer, type Dims } from './composer.ts';

/** A graph of several ops, most of which `fuse` joins. */
export interface Pattern {
  compose(composer: Composer, dims: Dims): GraphCase;
  /** Kinds of the ops that fusion leaves. */
  readonly fused: readonly OpKind[];
  readonly gradient?: true;
}

const training = {
  epsilon: 1e-3,
  momentum: 0.99,
  movingVariance: 'biased',
  residual: false,
  activation: 'none',
} as const;
const inference = { epsilon: 1e-3, residual: false, activation: 'none' } as const;

/** gamma, beta, and the moving or given statistics. */
function batchNormParameters(c: Composer, channels: number): readonly ValueId[] {
  return [
    c.input('gamma', [channels], 'positive'),
    c.input('beta', [channels]),
    c.input('mean', [channels]),
    c.input('variance', [channels], 'positive'),
  ];
}

function convOf(c: Composer, dims: Dims): ValueId {
  const { window, x, filter } = convolution(dims);
  return c.conv(c.input('x', x), c.input('filter', filter), window);
}

const biased = (c: Composer, x: ValueId, channels: number): ValueId =>
  c.op('biasAdd', [x, c.input('bias', [channels])], {});

function backpropInput(c: Composer, dims: Dims): ValueId {
  const { window, filter, y } = convolution(dims);
  const attrs = { window, inputSize: [dims.height, dims.width], residual: false, activationGrad: 'none' } as const;
  return c.op('conv2dBackpropInput', [c.input('filter', filter), c.input('dy', y)], attrs);
}

function batchNormGrad(c: Composer, shape: readonly number[]): readonly ValueId[] {
  const channels = shape.slice(-1);
  const inputs = [
    c.input('dy', shape),
    c.input('x', shape),
    c.input('gamma', channels),
    c.input('mean', channels),
    c.input('inverseStd', channels, 'positive'),
  ];
  return c.build.opOutputs('batchNormGrad', inputs, { residual: false });
}

const first = (ids: readonly ValueId[]): ValueId => ids[0] as ValueId;

export const patterns: Readonly<Record<string, Pattern>> = {
  'conv, bias, add, relu': {
    fused: ['conv2d'],
    compose(c, dims) {
      const sum = c.add(biased(c, convOf(c, dims), dims.outChannels), c.input('residual', convolution(dims).y));
      return c.finish({ y: c.relu(sum) });
    },
  },
  'conv, bias, relu': {
    fused: ['conv2d'],
    compose: (c, dims) => c.finish({ y: c.relu(biased(c, convOf(c, dims), dims.outChannels)) }),
  },
  'residual, conv: the convolution is the second operand': {
    fused: ['conv2d'],
    compose: (c, dims) => c.finish({ y: c.add(c.input('residual', convolution(dims).y), convOf(c, dims)) }),
  },
  'bn training, add, relu': {
    fused: ['batchNormTraining'],
    compose(c, dims) {
      const { y } = convolution(dims);
      const normalized = c.op(
        'batchNormTraining',
        [c.input('x', y), ...batchNormParameters(c, dims.outChannels)],
        training,
      );
      return c.finish({ y: c.relu(c.add(normalized, c.input('residual', y))) });
    },
  },
  'bn inference, add, relu': {
    fused: ['batchNormInference'],
    compose(c, dims) {
      const { y } = convolution(dims);
      const normalized = c.op(
        'batchNormInference',
        [c.input('x', y), ...batchNormParameters(c, dims.outChannels)],
        inference,
      );
      return c.finish({ y: c.relu(c.add(c.input('residual', y), normalized)) });
    },
  },
  'conv, bias, bn, relu': {
    fused: ['conv2d', 'batchNormTraining'],
    compose(c, dims) {
      const conv = biased(c, convOf(c, dims), dims.outChannels);
      return c.finish({
        y: c.relu(c.op('batchNormTraining', [conv, ...batchNormParameters(c, dims.outChannels)], training)),
      });
    },
  },
  'bn, relu, conv, add: a full pre-activation': {
    fused: ['batchNormInference', 'conv2d'],
    compose(c, dims) {
      const { window, x, filter, y } = convolution(dims);
      const normalized = c.op(
        'batchNormInference',
        [c.input('x', x), ...batchNormParameters(c, dims.inChannels)],
        inference,
      );
      const conv = c.conv(c.relu(normalized), c.input('filter', filter), window);
      return c.finish({ y: c.add(conv, c.input('residual', y)) });
    },
  },
  'backprop input, add, reluGrad': {
    fused: ['conv2dBackpropInput'],
    gradient: true,
    compose(c, dims) {
      const { x } = convolution(dims);
      const sum = c.add(backpropInput(c, dims), c.input('residual', x));
      return c.finish({ dx: c.op('reluGrad', [sum, c.input('y', x)], {}) });
    },
  },
  'backprop input, reluGrad': {
    fused: ['conv2dBackpropInput'],
    gradient: true,
    compose: (c, dims) =>
      c.finish({ dx: c.op('reluGrad', [backpropInput(c, dims), c.input('y', convolution(dims).x)], {}) }),
  },
  'bn grad, add': {
    fused: ['batchNormGrad'],
    gradient: true,
    compose(c, dims) {
      const { y } = convolution(dims);
      const [dx = -1, dGamma = -1, dBeta = -1] = batchNormGrad(c, y);
      return c.finish({ sum: c.add(dx, c.input('residual', y)), dGamma, dBeta });
    },
  },
  'bn grad, bias grad: the gradient of a bias before batch norm is zero': {
    fused: ['batchNormGrad', 'affine', 'fill'],
    gradient: true,
    compose(c, dims) {
      const dx = first(batchNormGrad(c, convolution(dims).y));
      return c.finish({ copy: c.copy(dx), dBias: c.op('biasAddGrad', [dx], {}) });
    },
  },
  'relu, its gradient and the filter gradient': {
    fused: ['conv2d', 'reluGrad', 'conv2dBackpropFilter', 'biasAddGrad'],
    gradient: true,
    compose(c, dims) {
      const { window, x, filter, y } = convolution(dims);
      const xId = c.input('x', x);
      const out = c.relu(c.conv(xId, c.input('filter', filter), window));
      const dy = c.op('reluGrad', [c.input('dy', y), out], {});
      const dFilter = c.op('conv2dBackpropFilter', [xId, dy], { window, filterSize: [dims.kernel, dims.kernel] });
      return c.finish({ y: out, dFilter, dBias: c.op('biasAddGrad', [dy], {}) });
    },
  },
  'adam on a filter gradient': {
    fused: ['conv2dBackpropFilter', 'l2PenaltyGrad', 'add', 'adam'],
    gradient: true,
    compose(c, dims) {
      const { window, x, filter, y } = convolution(dims);
      const w = c.input('w', filter);
      const dFilter = c.op('conv2dBackpropFilter', [c.input('x', x), c.input('dy', y)], {
        window,
        filterSize: [dims.kernel, dims.kernel],
      });
      const decay = c.op('l2PenaltyGrad', [c.input('one', [], 'equal'), w], { scale: 1e-4 });
      const state = [
        w,
        c.input('m', filter),
        c.input('v', filter, 'positive'),
        c.add(dFilter, decay),
        c.input('stepSize', [], 'stepSize'),
      ];
      c.op('adam', state, { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 });
      return c.finish({});
    },
  },
  'descent with momentum on a filter gradient': {
    fused: ['conv2dBackpropFilter', 'sgdMomentum'],
    gradient: true,
    compose(c, dims) {
      const { window, x, filter, y } = convolution(dims);
      const filterSize = [dims.kernel, dims.kernel] as const;
      const dFilter = c.op('conv2dBackpropFilter', [c.input('x', x), c.input('dy', y)], { window, filterSize });
      const state = [c.input('w', filter), c.input('m', filter), dFilter, c.input('learningRate', [], 'stepSize')];
      c.op('sgdMomentum', state, { momentum: 0.9, nesterov: true });
      return c.finish({});
    },
  },
  'the head: average, flatten, dense, loss and its gradient': {
    fused: [
      'averagePool2d',
      'reshape',
      'matMul',
      'biasAdd',
      'softmaxCrossEntropy',
      'reduceSum',
      'softmaxCrossEntropyGrad',
      'assignAdd',
    ],
    gradient: true,
    compose(c, { batch, height, width, inChannels, outChannels }) {
      const window = {
        size: [height, width],
        strides: [height, width],
        padding: { top: 0, bottom: 0, left: 0, right: 0 },
      } as const;
      const pooled = c.op('averagePool2d', [c.input('x', [batch, height, width, inChannels])], { window });
      const flat = c.op('reshape', [pooled], { shape: [batch, inChannels] });
      const dense = c.op('matMul', [flat, c.input('kernel', [inChannels, outChannels])], {
        transposeA: false,
        transposeB: false,
      });
      const logits = biased(c, dense, outChannels);
      const labels = c.input('labels', [batch, outChannels], 'smoothed');
      const smoothing = { labelSmoothing: 0.1 };
      const loss = c.op('reduceSum', [c.op('softmaxCrossEntropy', [logits, labels], smoothing)], {});
      const dLogits = c.op('softmaxCrossEntropyGrad', [c.input('dLosses', [batch]), logits, labels], smoothing);
      c.op('assignAdd', [c.input('total', []), loss], {});
      return c.finish({ logits, dLogits });
    },
  },
  'read twice: nothing may be fused or overwritten': {
    fused: ['conv2d', 'relu', 'add', 'multiply', 'add'],
    compose(c, dims) {
      const conv = convOf(c, dims);
      const doubled = c.add(conv, conv);
      return c.finish({ y: c.add(c.op('multiply', [doubled, c.relu(conv)], {}), conv) });
    },
  },
  'named in between: the value must be there': {
    fused: ['conv2d', 'relu'],
    compose(c, dims) {
      const conv = convOf(c, dims);
      return c.finish({ conv, y: c.relu(conv) });
    },
  },
  'a view lives on while its value is used in place': {
    fused: ['affine', 'reshape', 'relu', 'affine', 'reshape', 'multiply'],
    compose(c, { batch, height, width, inChannels }) {
      const count = batch * height * width * inChannels;
      const copied = c.copy(c.input('x', [batch, height, width, inChannels]));
      const flat = c.op('reshape', [copied], { shape: [count] });
      const scaled = c.op('affine', [c.relu(copied)], { scale: -0.7, offset: 0.1 });
      return c.finish({ y: c.op('multiply', [flat, c.op('reshape', [scaled], { shape: [count] })], {}) });
    },
  },
};
