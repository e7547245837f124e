import type { OpAttrs, OpKind } from '../ops/attrs.ts';
import type { ReferenceKernel, ReferenceKernels } from './kernel.ts';
import { gatherMagnitudes } from './kernels/images.ts';
import { kernels } from './kernels/index.ts';
import {
  adam,
  adamW,
  affine,
  batchNormGrad,
  batchNormInference,
  batchNormRecompute,
  batchNormTraining,
  sgdMomentum,
  sigmoidGrad,
  softmaxCrossEntropy,
  softmaxCrossEntropyGrad,
  softmaxGrad,
} from './kernels/magnitudes.ts';

/** The kernel on the absolute values of its operands, but for those that only choose (`y` of a mask, `x` of a maximum). */
function onMagnitudes<K extends OpKind>(
  kernel: ReferenceKernel<K>,
  signed: readonly string[] = [],
): ReferenceKernel<K> {
  return (inputs, outputs, attrs: OpAttrs[K]) => {
    const absolute = inputs.map((operand, name) =>
      signed.includes(name) ? operand : { ...operand, values: operand.values.map(Math.abs) },
    );
    kernel(absolute, outputs, attrs);
  };
}

/** The magnitude of the result of a kernel that rounds to whole numbers. */
function ofExact<K extends OpKind>(kernel: ReferenceKernel<K>): ReferenceKernel<K> {
  return (inputs, outputs, attrs: OpAttrs[K]) => {
    kernel(inputs, outputs, attrs);
    outputs.values('y').forEach((value, i, y) => {
      y[i] = Math.abs(value);
    });
  };
}

/**
 * For each op, Σ|terms| where the op computes Σ terms: the scale of the rounding error of each element of its result.
 *
 * - Sums of products (convolutions and their gradients, matMul, bias, add, multiply, average pooling, reduceSum, l2Penalty):
 *   Σ|a·b|, and |bias|, |residual| with it; an activation leaves it as it is, since it is never negative. Chains of
 *   these ops may run as one graph.
 * - Formulas that subtract (batch norm, sigmoidGrad, softmaxGrad, cross-entropy, optimizers): the sum of the absolute terms, with
 *   statistics, probabilities and √v taken at the given inputs. Meaningful for a graph of the one op only, because
 *   those depend on signs, which the result of another op has lost.
 * - relu, maxPool2d, reshape, padChannels, sliceChannels, fill, broadcastScalar, dropout: the op on absolute values; their results are exact and need no bound.
 * - gatherImages: weights times |value − mean|, the difference itself taken exactly.
 * - quantize, quantizedConv2d: the magnitude of the result, which is exact.
 * - sigmoid, softmax, topKCorrect: the ordinary result, which is never negative. `inverseStd` of batchNormTraining likewise.
 *
 * Operands that only choose keep their sign: `y` of reluGrad and of activationGrad, `x` and `y` of maxPool2dGrad.
 */
export const magnitudeKernels: ReferenceKernels = {
  conv2d: onMagnitudes(kernels.conv2d),
  conv2dBackpropInput: onMagnitudes(kernels.conv2dBackpropInput, ['y']),
  conv2dBackpropFilter: onMagnitudes(kernels.conv2dBackpropFilter),
  biasAdd: onMagnitudes(kernels.biasAdd),
  biasAddGrad: onMagnitudes(kernels.biasAddGrad),
  batchNormTraining,
  batchNormRecompute,
  batchNormInference,
  batchNormGrad,
  relu: onMagnitudes(kernels.relu),
  reluGrad: onMagnitudes(kernels.reluGrad, ['y']),
  sigmoid: kernels.sigmoid,
  sigmoidGrad,
  add: onMagnitudes(kernels.add),
  multiply: onMagnitudes(kernels.multiply),
  affine,
  dropout: onMagnitudes(kernels.dropout, ['random']),
  maxPool2d: onMagnitudes(kernels.maxPool2d),
  maxPool2dGrad: onMagnitudes(kernels.maxPool2dGrad, ['x', 'y']),
  averagePool2d: onMagnitudes(kernels.averagePool2d),
  averagePool2dGrad: onMagnitudes(kernels.averagePool2dGrad),
  matMul: onMagnitudes(kernels.matMul),
  reshape: kernels.reshape,
  padChannels: onMagnitudes(kernels.padChannels),
  sliceChannels: onMagnitudes(kernels.sliceChannels),
  fill: (inputs, outputs, attrs) => kernels.fill(inputs, outputs, { ...attrs, value: Math.abs(attrs.value) }),
  broadcastScalar: onMagnitudes(kernels.broadcastScalar),
  reduceSum: onMagnitudes(kernels.reduceSum),
  l2Penalty: (inputs, outputs, { scale }) => kernels.l2Penalty(inputs, outputs, { scale: Math.abs(scale) }),
  l2PenaltyGrad: onMagnitudes((inputs, outputs, { scale }) =>
    kernels.l2PenaltyGrad(inputs, outputs, { scale: Math.abs(scale) }),
  ),
  softmax: kernels.softmax,
  softmaxGrad,
  softmaxCrossEntropy,
  softmaxCrossEntropyGrad,
  topKCorrect: kernels.topKCorrect,
  adam,
  adamW,
  sgdMomentum,
  assignAdd: onMagnitudes(kernels.assignAdd),
  gatherImages: gatherMagnitudes,
  quantize: ofExact(kernels.quantize),
  dequantize: onMagnitudes(kernels.dequantize),
  quantizedConv2d: ofExact(kernels.quantizedConv2d),
  unscaleGradient: onMagnitudes(kernels.unscaleGradient),
  updateLossScale: kernels.updateLossScale,
};
