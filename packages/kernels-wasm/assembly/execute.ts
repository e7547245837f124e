import * as records from './generated/records';
import * as batchNorm from './batch-norm';
import * as channels from './channels';
import * as convDirect from './conv-direct';
import * as dense from './dense';
import * as dropout from './dropout';
import * as elementwise from './elementwise';
import * as filterDirect from './filter-direct';
import * as images from './images';
import * as loss from './loss';
import * as lossScale from './loss-scale';
import * as optimizer from './optimizer';
import * as pack from './pack';
import * as pool from './pool';
import * as winograd from './winograd';
import * as winogradFilter from './winograd-filter';

/** Place in the table of the `execute` of kernels that were added to these: see src/module.ts. */
const added: u32 = 1;

/** Runs one task of one record: a jump table over the opcodes. */
export function execute(opcode: i32, operands: usize, task: i32, scratch: usize): void {
  switch (opcode) {
    case records.opPackPanels: return pack.packPanels(changetype<records.PackPanels>(operands), task);
    case records.opConvDirect: return convDirect.convDirect(changetype<records.ConvDirect>(operands), task, scratch);
    case records.opFilterDirect: return filterDirect.filterDirect(changetype<records.FilterDirect>(operands), task, scratch);
    case records.opFilterDirectSum: return filterDirect.filterDirectSum(changetype<records.FilterDirectSum>(operands), task);
    case records.opWinogradFilterTransform: return winograd.winogradFilterTransform(changetype<records.WinogradFilterTransform>(operands), task, scratch);
    case records.opWinogradConv: return winograd.winogradConv(changetype<records.WinogradConv>(operands), task, scratch);
    case records.opWinogradFilterGrad: return winogradFilter.winogradFilterGrad(changetype<records.WinogradFilterGrad>(operands), task, scratch);
    case records.opWinogradFilterGradSum: return winogradFilter.winogradFilterGradSum(changetype<records.WinogradFilterGradSum>(operands), task, scratch);
    case records.opChannelSums: return channels.channelSums(changetype<records.ChannelSums>(operands), task, scratch);
    case records.opChannelSumsFinish: return channels.channelSumsFinish(changetype<records.ChannelSumsFinish>(operands));
    case records.opBatchNormStats: return batchNorm.batchNormStats(changetype<records.BatchNormStats>(operands), task, scratch);
    case records.opBatchNormStatsFinish: return batchNorm.batchNormStatsFinish(changetype<records.BatchNormStatsFinish>(operands));
    case records.opBatchNormInferenceAffine: return batchNorm.batchNormInferenceAffine(changetype<records.BatchNormInferenceAffine>(operands));
    case records.opBatchNormApply: return batchNorm.batchNormApply(changetype<records.BatchNormApply>(operands), task);
    case records.opBatchNormGradSums: return batchNorm.batchNormGradSums(changetype<records.BatchNormGradSums>(operands), task, scratch);
    case records.opBatchNormGradFinish: return batchNorm.batchNormGradFinish(changetype<records.BatchNormGradFinish>(operands));
    case records.opBatchNormGradApply: return batchNorm.batchNormGradApply(changetype<records.BatchNormGradApply>(operands), task, scratch);
    case records.opBiasAdd: return elementwise.biasAdd(changetype<records.BiasAdd>(operands), task);
    case records.opRelu: return elementwise.relu(changetype<records.Relu>(operands), task);
    case records.opReluGrad: return elementwise.reluGrad(changetype<records.ReluGrad>(operands), task);
    case records.opSigmoid: return elementwise.sigmoid(changetype<records.Sigmoid>(operands), task);
    case records.opSigmoidGrad: return elementwise.sigmoidGrad(changetype<records.SigmoidGrad>(operands), task);
    case records.opAdd: return elementwise.add(changetype<records.Add>(operands), task);
    case records.opMultiply: return elementwise.multiply(changetype<records.Multiply>(operands), task);
    case records.opAffine: return elementwise.affine(changetype<records.Affine>(operands), task);
    case records.opDropout: return dropout.dropout(changetype<records.Dropout>(operands), task);
    case records.opFill: return elementwise.fill(changetype<records.Fill>(operands), task);
    case records.opBroadcastScalar: return elementwise.broadcastScalar(changetype<records.BroadcastScalar>(operands), task);
    case records.opShiftChannels: return channels.shiftChannels(changetype<records.ShiftChannels>(operands), task);
    case records.opL2PenaltyGrad: return elementwise.l2PenaltyGrad(changetype<records.L2PenaltyGrad>(operands), task);
    case records.opSum: return elementwise.sum(changetype<records.Sum>(operands), task);
    case records.opSumFinish: return elementwise.sumFinish(changetype<records.SumFinish>(operands));
    case records.opMaxPool2d: return pool.maxPool2d(changetype<records.MaxPool2d>(operands), task);
    case records.opMaxPool2dGrad: return pool.maxPool2dGrad(changetype<records.MaxPool2dGrad>(operands), task);
    case records.opAveragePool2d: return pool.averagePool2d(changetype<records.AveragePool2d>(operands), task);
    case records.opAveragePool2dGrad: return pool.averagePool2dGrad(changetype<records.AveragePool2dGrad>(operands), task);
    case records.opMatMul: return dense.matMul(changetype<records.MatMul>(operands), task, scratch);
    case records.opSoftmax: return loss.softmax(changetype<records.Softmax>(operands), task);
    case records.opSoftmaxGrad: return loss.softmaxGrad(changetype<records.SoftmaxGrad>(operands), task);
    case records.opSoftmaxCrossEntropy: return loss.softmaxCrossEntropy(changetype<records.SoftmaxCrossEntropy>(operands), task);
    case records.opSoftmaxCrossEntropyGrad: return loss.softmaxCrossEntropyGrad(changetype<records.SoftmaxCrossEntropyGrad>(operands), task);
    case records.opTopKCorrect: return loss.topKCorrect(changetype<records.TopKCorrect>(operands), task);
    case records.opAdam: return optimizer.adam(changetype<records.Adam>(operands), task);
    case records.opAdamW: return optimizer.adamW(changetype<records.AdamW>(operands), task);
    case records.opSgdMomentum: return optimizer.sgdMomentum(changetype<records.SgdMomentum>(operands), task);
    case records.opGatherImages: return images.gatherImages(changetype<records.GatherImages>(operands), task, scratch);
    case records.opUnscaleGradient: return lossScale.unscaleGradient(changetype<records.UnscaleGradient>(operands), task);
    case records.opUpdateLossScale: return lossScale.updateLossScale(changetype<records.UpdateLossScale>(operands));
    default: call_indirect<void>(added, opcode, operands, task, scratch);
  }
}
