import type { KernelOperands } from '../generated/records.ts';
import {
  directRows,
  directScratchBytes,
  padTo16,
  tileCount,
  useWinograd,
  windowShape,
  winogradPanelBytes,
  winogradScratchBytes,
  winogradTiles,
  type ConvShape,
} from './conv-plan.ts';
import {
  ceilDiv,
  record,
  spec,
  wholeImages,
  type Addresses,
  type KernelRecord,
  type Lower,
  type Lowering,
} from './lowering.ts';

/** Operands of the epilogue: byte offsets, 0 where absent. */
export interface Epilogue {
  readonly bias: number;
  readonly residual: number;
  readonly mask: number;
  readonly relu: number;
}

export const conv2d: Lower<'conv2d'> = ({
  attrs: { window, bias, residual, activation },
  inputs,
  outputs,
  options,
}) => {
  const filter = spec(inputs, 1).shape;
  const shape = windowShape(spec(inputs, 0).shape, filter, spec(outputs, 0).shape, window);
  const epilogue = (at: Addresses): Epilogue => ({
    bias: bias ? at.input(2) : 0,
    residual: residual ? at.input(bias ? 3 : 2) : 0,
    mask: 0,
    relu: activation === 'relu' ? 1 : 0,
  });
  if (useWinograd(shape, options.conv)) return winograd('conv2d', shape, options.threads, false, 0, 1, epilogue);

  const inner = shape.inChannels * shape.filterHeight * shape.filterWidth;
  const rows = directRows(shape);
  return {
    kernels: ['conv2d.direct-2x16'],
    workspaceBytes: 0,
    scratchBytes: directScratchBytes(shape, rows),
    packing: {
      input: 1,
      bytes: padTo16(shape.outChannels) * inner * 4,
      records: (source, panels) => [
        record('packPanels', padTo16(shape.outChannels) / 16, {
          source,
          panels,
          tapRows: shape.filterHeight,
          tapColumns: shape.filterWidth,
          rowStart: 0,
          rowStep: 1,
          columnStart: 0,
          columnStep: 1,
          filterWidth: shape.filterWidth,
          tapStride: shape.inChannels * shape.outChannels,
          inner: shape.inChannels,
          innerStride: shape.outChannels,
          columns: shape.outChannels,
          columnStride: 1,
        }),
      ],
    },
    records: (at) => [
      direct(shape, rows, {
        x: at.input(0),
        panels: at.packed,
        y: at.output(0),
        ...epilogue(at),
        storeHeight: shape.outHeight,
        storeWidth: shape.outWidth,
        storeStride: 1,
        storeTop: 0,
        storeLeft: 0,
      }),
    ],
  };
};

/** A direct convolution in tasks of `rows` rows of an image. */
export function direct(
  shape: ConvShape,
  rows: number,
  operands: Omit<KernelOperands['convDirect'], keyof ConvShape | 'rowsPerTask'>,
): KernelRecord {
  const tasks = shape.batch * ceilDiv(shape.outHeight, rows);
  return record('convDirect', tasks, { ...shape, ...operands, rowsPerTask: rows }, { images: shape.batch });
}

export function winograd(
  kind: string,
  shape: ConvShape,
  threads: number,
  backward: boolean,
  xInput: number,
  filterInput: number,
  epilogue: (at: Addresses) => Epilogue,
): Lowering {
  const tilesPerTask = winogradTiles(shape, threads);
  const filterShape = backward
    ? { inChannels: shape.outChannels, outChannels: shape.inChannels }
    : { inChannels: shape.inChannels, outChannels: shape.outChannels };
  return {
    kernels: [`${kind}.winograd-4x4`],
    workspaceBytes: 0,
    scratchBytes: winogradScratchBytes(shape, tilesPerTask),
    packing: {
      input: filterInput,
      bytes: winogradPanelBytes(shape.inChannels, shape.outChannels),
      records: (source, panels) => [
        record('winogradFilterTransform', padTo16(shape.outChannels) / 16, {
          source,
          panels,
          ...filterShape,
          backward: backward ? 1 : 0,
        }),
      ],
    },
    records: (at): readonly KernelRecord[] => [
      record(
        'winogradConv',
        ceilDiv(tileCount(shape), tilesPerTask),
        { ...shape, x: at.input(xInput), panels: at.packed, y: at.output(0), ...epilogue(at), tilesPerTask },
        { images: wholeImages(shape.batch, tileCount(shape) / shape.batch, tilesPerTask) },
      ),
    ],
  };
}
