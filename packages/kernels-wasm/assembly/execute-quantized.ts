import * as records from './generated/records';
import * as quantized from './quantized';
import * as quantizedDirect from './quantized-direct';
import * as quantizedWinograd from './quantized-winograd';
import * as quantizedWinogradFilter from './quantized-winograd-filter';

/** Runs one task of one record of an int8 net: the entry of a binary of its own, which few pages need. */
export function execute(opcode: i32, operands: usize, task: i32, scratch: usize): void {
  switch (opcode) {
    case records.opQuantize: return quantized.quantize(changetype<records.Quantize>(operands), task);
    case records.opDequantize: return quantized.dequantize(changetype<records.Dequantize>(operands), task);
    case records.opQuantizedPanels: return quantizedDirect.quantizedPanels(changetype<records.QuantizedPanels>(operands), task);
    case records.opQuantizedConvDirect: return quantizedDirect.quantizedConvDirect(changetype<records.QuantizedConvDirect>(operands), task, scratch);
    case records.opQuantizedWinogradFilter: return quantizedWinogradFilter.quantizedWinogradFilter(changetype<records.QuantizedWinogradFilter>(operands), task, scratch);
    case records.opQuantizedWinogradConv: return quantizedWinograd.quantizedWinogradConv(changetype<records.QuantizedWinogradConv>(operands), task, scratch);
    default: unreachable();
  }
}
