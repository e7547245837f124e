import type { OpKind } from '@skiplane/core';
import { batchNormGrad, batchNormInference, batchNormRecompute, batchNormTraining, biasAddGrad } from './batch-norm.ts';
import { padChannels, sliceChannels } from './shift-channels.ts';
import { conv2dBackpropFilter } from './conv-filter.ts';
import { conv2d, conv2dBackpropInput } from './conv.ts';
import { matMul } from './dense.ts';
import {
  add,
  affine,
  dropout,
  biasAdd,
  broadcastScalar,
  fill,
  l2Penalty,
  l2PenaltyGrad,
  multiply,
  reduceSum,
  relu,
  reluGrad,
  reshape,
  sigmoid,
  sigmoidGrad,
} from './elementwise.ts';
import { gatherImages } from './images.ts';
import { softmax, softmaxCrossEntropy, softmaxCrossEntropyGrad, softmaxGrad, topKCorrect } from './loss.ts';
import { unscaleGradient, updateLossScale } from './loss-scale.ts';
import type { Lower } from './lowering.ts';
import { adam, adamW, assignAdd, sgdMomentum } from './optimizer.ts';
import { dequantize, quantize, quantizedConv2d } from './quantized.ts';
import { averagePool2d, averagePool2dGrad, maxPool2d, maxPool2dGrad } from './pool.ts';

/** The lowering of every op: a kind without one does not type-check. */
export const lowerings: { readonly [K in OpKind]: Lower<K> } = {
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
