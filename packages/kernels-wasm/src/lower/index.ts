import type { OpKind } from '@skiplane/core';
import {
  batchNormGrad,
  batchNormInference,
  batchNormRecompute,
  batchNormTraining,
  biasAdd,
  biasAddGrad,
} from './batch-norm.ts';
import { padChannels, sliceChannels } from './channels.ts';
import { conv2dBackpropFilter } from './conv-filter.ts';
import { conv2d, conv2dBackpropInput } from './conv.ts';
import { matMul } from './dense.ts';
import {
  add,
  affine,
  dropout,
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
import type { Lower } from './lowering.ts';
import { unscaleGradient, updateLossScale } from './loss-scale.ts';
import { adam, adamW, assignAdd, sgdMomentum } from './optimizer.ts';
import type * as quantized from './quantized.ts';
import { averagePool2d, averagePool2dGrad, maxPool2d, maxPool2dGrad } from './pool.ts';

type QuantizedKind = keyof typeof quantized;

/** The lowering of every op but those of int8 nets: a kind without one does not type-check. */
const lowerings: { readonly [K in Exclude<OpKind, QuantizedKind>]: Lower<K> } = {
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
  unscaleGradient,
  updateLossScale,
};

/** Those of int8 nets, which few pages need: loaded by who compiles one, with their kernels. */
let quantizedLowerings: { readonly [K in QuantizedKind]: Lower<K> } | undefined;

export const isQuantized = (kind: OpKind): kind is QuantizedKind => !(kind in lowerings);

export async function loadQuantizedLowerings(): Promise<void> {
  quantizedLowerings = await import('./quantized.ts');
}

/** The lowering of ops of a kind. */
export function loweringOf<K extends OpKind>(kind: K): Lower<K> {
  const known: { readonly [Kind in OpKind]?: unknown } = { ...lowerings, ...quantizedLowerings };
  return known[kind] as Lower<K>;
}
