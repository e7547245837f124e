import * as records from './generated/records';
import * as batchNorm from './batch-norm';
import * as channels from './channels';
import * as dropout from './dropout';
import * as elementwise from './elementwise';
import * as filterDirect from './filter-direct';
import * as images from './images';
import * as loss from './loss';
import * as lossScale from './loss-scale';
import * as optimizer from './optimizer';
import * as pool from './pool';
import * as winogradFilter from './winograd-filter';

/** Runs one task of one record that only training and evaluation need: the entry of a binary of its own. */
export function execute(opcode: i32, operands: usize, task: i32, scratch: usize): void {
  switch (opcode) {
    case records.opFilterDirect: return filterDirect.filterDirect(changetype<records.FilterDirect>(operands), task, scratch);
    case records.opFilterDirectSum: return filterDirect.filterDirectSum(changetype<records.FilterDirectSum>(operands), task);
    case records.opWinogradFilterGrad: return winogradFilter.winogradFilterGrad(changetype<records.WinogradFilterGrad>(operands), task, scratch);
    case records.opWinogradFilterGradSum: return winogradFilter.winogradFilterGradSum(changetype<records.WinogradFilterGradSum>(operands), task, scratch);
    case records.opChannelSums: return channels.channelSums(changetype<records.ChannelSums>(operands), task, scratch);
    case records.opChannelSumsFinish: return channels.channelSumsFinish(changetype<records.ChannelSumsFinish>(operands));
    case records.opBatchNormStats: return batchNorm.batchNormStats(changetype<records.BatchNormStats>(operands), task, scratch);
    case records.opBatchNormStatsFinish: return batchNorm.batchNormStatsFinish(changetype<records.BatchNormStatsFinish>(operands));
    case records.opBatchNormGradSums: return batchNorm.batchNormGradSums(changetype<records.BatchNormGradSums>(operands), task, scratch);
    case records.opBatchNormGradFinish: return batchNorm.batchNormGradFinish(changetype<records.BatchNormGradFinish>(operands));
    case records.opBatchNormGradApply: return batchNorm.batchNormGradApply(changetype<records.BatchNormGradApply>(operands), task, scratch);
    case records.opReluGrad: return elementwise.reluGrad(changetype<records.ReluGrad>(operands), task);
    case records.opSigmoidGrad: return elementwise.sigmoidGrad(changetype<records.SigmoidGrad>(operands), task);
    case records.opDropout: return dropout.dropout(changetype<records.Dropout>(operands), task);
    case records.opFill: return elementwise.fill(changetype<records.Fill>(operands), task);
    case records.opBroadcastScalar: return elementwise.broadcastScalar(changetype<records.BroadcastScalar>(operands), task);
    case records.opL2PenaltyGrad: return elementwise.l2PenaltyGrad(changetype<records.L2PenaltyGrad>(operands), task);
    case records.opSum: return elementwise.sum(changetype<records.Sum>(operands), task);
    case records.opSumFinish: return elementwise.sumFinish(changetype<records.SumFinish>(operands));
    case records.opMaxPool2dGrad: return pool.maxPool2dGrad(changetype<records.MaxPool2dGrad>(operands), task);
    case records.opAveragePool2dGrad: return pool.averagePool2dGrad(changetype<records.AveragePool2dGrad>(operands), task);
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
    default: unreachable();
  }
}
