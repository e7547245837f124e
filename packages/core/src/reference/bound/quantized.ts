import { ValueError } from '../../errors.ts';
import type { BoundContext, BoundRules } from './context.ts';

/** Their numbers are exact on every backend; but a number that lies between two may be rounded to either when it has an error. */
function exact(kind: string, operands: readonly string[]): (context: BoundContext) => { y: Float64Array } {
  return (context) => {
    if (context.inexact(...operands, ...(context.has('residual') ? ['residual'] : []))) {
      throw new ValueError(`${kind}: no bound holds when what it rounds has errors.`);
    }
    return { y: context.result('y').map(() => 0) };
  };
}

export const quantizedRules: Pick<BoundRules, 'quantize' | 'dequantize' | 'quantizedConv2d'> = {
  quantize: exact('quantize', ['x']),
  dequantize: exact('dequantize', ['x']),
  quantizedConv2d: exact('quantizedConv2d', ['x', 'filter', 'multiplier', 'bias']),
};
