import { ShapeError } from '../errors.ts';
import type { ValueId } from '../graph.ts';
import { elementCount, formatShape } from '../tensor.ts';
import { totalBytes } from './cost.ts';
import { f32, operand, rank2 } from './infer.ts';
import type { OpDef } from './op-def.ts';

/**
 * Matrix product y = op(a)·op(b), op being the transpose where asked.
 *
 * @shape a       [rows, inner], or [inner, rows] when `transposeA`
 * @shape b       [inner, columns], or [columns, inner] when `transposeB`
 * @shape returns [rows, columns]
 * @bound  (2 + √K)·u·Σ|a·b| per element, K = inner
 */
export const matMul: OpDef<'matMul'> = {
  kind: 'matMul',
  operands: () => ['a', 'b'],
  results: ['y'],
  infer(inputs, { transposeA, transposeB }) {
    const a = rank2(operand(inputs, 0, 'a'), 'a', transposeA ? 'inner,rows' : 'rows,inner');
    const b = rank2(operand(inputs, 1, 'b'), 'b', transposeB ? 'columns,inner' : 'inner,columns');
    const [rows, innerA] = transposeA ? [a[1], a[0]] : a;
    const [innerB, columns] = transposeB ? [b[1], b[0]] : b;
    if (innerA !== innerB) {
      throw new ShapeError(
        `inner sizes must be equal, but are ${innerA} of a ${formatShape(a)} and ${innerB} of b ${formatShape(b)}`,
      );
    }
    return [f32([rows, columns])];
  },
  vjp(build, { inputs: [a, b], attrs: { transposeA, transposeB } }, [dy], wanted) {
    if (dy == null || a === undefined || b === undefined) return [null, null];
    // y = op(a)·op(b): d op(a) = dy·op(b)ᵀ and d op(b) = op(a)ᵀ·dy, transposed back where op transposes.
    const da = (): ValueId =>
      transposeA
        ? build.op('matMul', [b, dy], { transposeA: transposeB, transposeB: true })
        : build.op('matMul', [dy, b], { transposeA: false, transposeB: !transposeB });
    const db = (): ValueId =>
      transposeB
        ? build.op('matMul', [dy, a], { transposeA: true, transposeB: transposeA })
        : build.op('matMul', [a, dy], { transposeA: !transposeA, transposeB: false });
    return [wanted[0] ? da() : null, wanted[1] ? db() : null];
  },
  cost(inputs, outputs, { transposeA }) {
    const inner = inputs[0]?.shape[transposeA ? 0 : 1] ?? 0;
    return { flops: 2 * inner * elementCount(outputs[0]?.shape ?? []), bytes: totalBytes(inputs, outputs) };
  },
};
