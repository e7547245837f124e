import { align, ceilDiv, record, spec, type Lower } from './lowering.ts';

export const matMul: Lower<'matMul'> = ({ attrs: { transposeA, transposeB }, inputs, outputs }) => {
  const [aRows = 0, aColumns = 0] = spec(inputs, 0).shape;
  const [rows = 0, columns = 0] = spec(outputs, 0).shape;
  const inner = transposeA ? aRows : aColumns;
  const panels = ceilDiv(columns, 16);
  const rowsPerTask = Math.max(2, Math.min(32, ceilDiv(rows, 16)));
  return {
    kernels: ['matMul.2x16'],
    workspaceBytes: 0,
    scratchBytes: 128 + align(2 * inner * 4),
    packing: {
      input: 1,
      bytes: panels * 16 * inner * 4,
      records: (source, packed) => [
        record('packPanels', panels, {
          source,
          panels: packed,
          tapRows: 1,
          tapColumns: 1,
          rowStart: 0,
          rowStep: 1,
          columnStart: 0,
          columnStep: 1,
          filterWidth: 1,
          tapStride: 0,
          inner,
          columns,
          ...(transposeB ? { innerStride: 1, columnStride: inner } : { innerStride: columns, columnStride: 1 }),
        }),
      ],
    },
    records: (at) => [
      record('matMul', ceilDiv(rows, rowsPerTask), {
        a: at.input(0),
        panels: at.packed,
        y: at.output(0),
        rows,
        columns,
        inner,
        rowsPerTask,
        ...(transposeA
          ? {
              rowStride: 1,
              innerStride: rows,
            }
          : {
              rowStride: inner,
              innerStride: 1,
            }),
      }),
    ],
  };
};
