import * as records from './generated/records';
import * as batchNorm from './batch-norm';
import * as channels from './channels';
import * as convDirect from './conv-direct';
import * as dense from './dense';
import * as elementwise from './elementwise';
import * as loss from './loss';
import * as pack from './pack';
import * as pool from './pool';
import * as winograd from './winograd';

/**
 * Runs one task of one record: a jump table over the opcodes of the kernels that every net needs. The `execute` of others, which
 * are loaded for the programs that name them, is in the table at the place that an opcode's upper bits give: see src/module.ts.
 */
export function execute(opcode: i32, operands: usize, task: i32, scratch: usize): void {
  switch (opcode) {
    case records.opPackPanels: return pack.packPanels(changetype<records.PackPanels>(operands), task);
    case records.opConvDirect: return convDirect.convDirect(changetype<records.ConvDirect>(operands), task, scratch);
    case records.opWinogradFilterTransform: return winograd.winogradFilterTransform(changetype<records.WinogradFilterTransform>(operands), task, scratch);
    case records.opWinogradConv: return winograd.winogradConv(changetype<records.WinogradConv>(operands), task, scratch);
    case records.opBatchNormInferenceAffine: return batchNorm.batchNormInferenceAffine(changetype<records.BatchNormInferenceAffine>(operands));
    case records.opBatchNormApply: return batchNorm.batchNormApply(changetype<records.BatchNormApply>(operands), task);
    case records.opBiasAdd: return elementwise.biasAdd(changetype<records.BiasAdd>(operands), task);
    case records.opRelu: return elementwise.relu(changetype<records.Relu>(operands), task);
    case records.opSigmoid: return elementwise.sigmoid(changetype<records.Sigmoid>(operands), task);
    case records.opAdd: return elementwise.add(changetype<records.Add>(operands), task);
    case records.opMultiply: return elementwise.multiply(changetype<records.Multiply>(operands), task);
    case records.opAffine: return elementwise.affine(changetype<records.Affine>(operands), task);
    case records.opShiftChannels: return channels.shiftChannels(changetype<records.ShiftChannels>(operands), task);
    case records.opMaxPool2d: return pool.maxPool2d(changetype<records.MaxPool2d>(operands), task);
    case records.opAveragePool2d: return pool.averagePool2d(changetype<records.AveragePool2d>(operands), task);
    case records.opMatMul: return dense.matMul(changetype<records.MatMul>(operands), task, scratch);
    case records.opSoftmax: return loss.softmax(changetype<records.Softmax>(operands), task);
    default: call_indirect<void>(opcode >> records.setShift, opcode, operands, task, scratch);
  }
}
