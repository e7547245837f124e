import type { ReferenceKernels } from '../kernel.ts';
import { batchNormGrad, batchNormInference, batchNormRecompute, batchNormTraining } from './batch-norm.ts';
import { biasAdd, biasAddGrad } from './bias.ts';
import { padChannels, sliceChannels } from './channels.ts';
import { conv2d, conv2dBackpropFilter, conv2dBackpropInput } from './conv.ts';
import { matMul } from './dense.ts';
import { dropout } from './dropout.ts';
import { add, affine, multiply, relu, reluGrad, sigmoid, sigmoidGrad } from './elementwise.ts';
import { gatherImages } from './images.ts';
import { softmax, softmaxCrossEntropy, softmaxCrossEntropyGrad, softmaxGrad, topKCorrect } from './loss.ts';
import { unscaleGradient, updateLossScale } from './loss-scale.ts';
import { adam, adamW, assignAdd, sgdMomentum } from './optimizer.ts';
import { dequantize, quantize, quantizedConv2d } from './quantized.ts';
import { averagePool2d, averagePool2dGrad, maxPool2d, maxPool2dGrad } from './pool.ts';
import { broadcastScalar, fill, l2Penalty, l2PenaltyGrad, reduceSum, reshape } from './shape.ts';

/** What each op computes, in the plainest loop: a kind without a kernel does not type-check. */
export const kernels: ReferenceKernels = {
  conv2d,
  conv2dBackpropInput,
  conv2dBackpropFilter,
  biasAdd,
  biasAddGrad,
  batchNormTraining,
  batchNormRecompute,
  batchNormInference,
  batchNormGrad,
  relu,
  reluGrad,
  sigmoid,
  sigmoidGrad,
  add,
  multiply,
  affine,
  dropout,
  maxPool2d,
  maxPool2dGrad,
  averagePool2d,
  averagePool2dGrad,
  matMul,
  reshape,
  padChannels,
  sliceChannels,
  fill,
  broadcastScalar,
  reduceSum,
  l2Penalty,
  l2PenaltyGrad,
  softmax,
  softmaxGrad,
  softmaxCrossEntropy,
  softmaxCrossEntropyGrad,
  topKCorrect,
  adam,
  adamW,
  sgdMomentum,
  assignAdd,
  gatherImages,
  quantize,
  dequantize,
  quantizedConv2d,
  unscaleGradient,
  updateLossScale,
};
