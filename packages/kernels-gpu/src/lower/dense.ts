import { ceilDiv, fold, input, output, single, spec, type Lower } from './lowering.ts';
import { gemmTile, workgroupSize } from './plan.ts';

export const matMul: Lower<'matMul'> = ({ attrs: { transposeA, transposeB }, inputs, outputs }) => {
  const [aRows = 0, aColumns = 0] = spec(inputs, 0).shape;
  const [rows = 0, columns = 0] = spec(outputs, 0).shape;
  const inner = transposeA ? aRows : aColumns;
  // Whole tiles need no padding: one plane of what Winograd's products are.
  if (!transposeA && !transposeB && inner % 4 === 0 && columns % gemmTile.columns === 0) {
    return single('matMul.8x16', {
      shader: 'gemm',
      constants: { rows, innerVectors: inner / 4, columnVectors: columns / 4 },
      bindings: [input(0), input(1), output(0)],
      workgroups: fold(ceilDiv(ceilDiv(rows, gemmTile.rows) * (columns / gemmTile.columns), workgroupSize)),
    });
  }
  return single('matMul.4x4', {
    shader: 'matmul',
    constants: {
      rows,
      columns,
      inner,
      aRowStride: transposeA ? 1 : inner,
      aInnerStride: transposeA ? rows : 1,
      bInnerStride: transposeB ? 1 : columns,
      bColumnStride: transposeB ? inner : 1,
    },
    bindings: [input(0), input(1), output(0)],
    workgroups: fold(ceilDiv(ceilDiv(rows, 4) * ceilDiv(columns, 4), workgroupSize)),
  });
};
