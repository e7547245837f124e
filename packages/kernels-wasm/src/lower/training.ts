/** The lowerings of ops that only training and evaluation need, and the layouts of their kernels' records. */
export { operandNames } from '../generated/records-training.ts';
export { batchNormGrad, batchNormRecompute, batchNormTraining, biasAddGrad } from './batch-norm-training.ts';
export { conv2dBackpropFilter } from './conv-filter.ts';
export { conv2dBackpropInput } from './conv-input.ts';
export {
  broadcastScalar,
  dropout,
  fill,
  l2Penalty,
  l2PenaltyGrad,
  reduceSum,
  reluGrad,
  sigmoidGrad,
} from './elementwise-training.ts';
export { gatherImages } from './images.ts';
export { unscaleGradient, updateLossScale } from './loss-scale.ts';
export { softmaxCrossEntropy, softmaxCrossEntropyGrad, softmaxGrad, topKCorrect } from './loss.ts';
export { adam, adamW, assignAdd, sgdMomentum } from './optimizer.ts';
export { averagePool2dGrad, maxPool2dGrad } from './pool.ts';
