import { elementCount, type TensorSpec } from '@skiplane/core';
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
import { backwardPhases } from './conv-phases.ts';
import {
  align,
  ceilDiv,
  elementsPerTask,
  record,
  spec,
  wholeImages,
  type Addresses,
  type KernelRecord,
  type Lower,
  type Lowering,
} from './lowering.ts';

/** Operands of the epilogue: byte offsets, 0 where absent. */
interface Epilogue {
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

/** The gradient with respect to the input is a convolution of dy with flipped filters whose channels change roles. */
export const conv2dBackpropInput: Lower<'conv2dBackpropInput'> = ({ attrs, inputs, outputs, options }) => {
  const { window, residual, activationGrad } = attrs;
  const filter = spec(inputs, 0).shape;
  const dy = spec(inputs, 1).shape;
  const dx = spec(outputs, 0).shape;
  const epilogue = (at: Addresses): Epilogue => ({
    bias: 0,
    residual: residual ? at.input(2) : 0,
    mask: activationGrad === 'relu' ? at.input(residual ? 3 : 2) : 0,
    relu: 0,
  });
  const { padTop, padLeft, ...forward } = windowShape(dx, filter, dy, window);
  const flipped: ConvShape = {
    ...windowShape(dy, filter, dx, window),
    padTop: forward.filterHeight - 1 - padTop,
    padLeft: forward.filterWidth - 1 - padLeft,
  };
  if (useWinograd(flipped, options.conv))
    return winograd('conv2dBackpropInput', flipped, options.threads, true, 1, 0, epilogue);

  const [, storeHeight = 0, storeWidth = 0, inChannels = 0] = dx;
  const outChannels = flipped.inChannels;
  const phases = backwardPhases(flipped, { padTop, padLeft, height: storeHeight, width: storeWidth });
  const reached = phases
    .filter(({ shape }) => shape.filterHeight * shape.filterWidth > 0)
    .map((phase) => ({
      ...phase,
      rows: directRows(phase.shape),
      panelBytes: align(padTo16(inChannels) * outChannels * phase.shape.filterHeight * phase.shape.filterWidth * 4),
    }));
  const packedBytes = reached.reduce((sum, { panelBytes }) => sum + panelBytes, 0);
  const placed = (panelsAt: number) => {
    let next = panelsAt;
    return reached.map((phase) => {
      const panels = next;
      next += phase.panelBytes;
      return { ...phase, panels };
    });
  };
  return {
    kernels: ['conv2dBackpropInput.direct-2x16'],
    workspaceBytes: 0,
    scratchBytes: Math.max(0, ...reached.map(({ shape, rows }) => directScratchBytes(shape, rows))),
    packing: {
      input: 0,
      bytes: packedBytes,
      records: (source, packed) =>
        placed(packed).map(({ shape, taps, panels }) =>
          record('packPanels', padTo16(inChannels) / 16, {
            source,
            panels,
            tapRows: shape.filterHeight,
            tapColumns: shape.filterWidth,
            ...taps,
            filterWidth: forward.filterWidth,
            tapStride: inChannels * outChannels,
            inner: outChannels,
            innerStride: 1,
            columns: inChannels,
            columnStride: outChannels,
          }),
        ),
    },
    records(at) {
      const operands = { x: at.input(1), y: at.output(0), ...epilogue(at), storeHeight, storeWidth };
      const convolutions = placed(at.packed).map(({ shape, rows, panels, store }) =>
        direct(shape, rows, { ...operands, panels, ...store }),
      );
      if (reached.length === phases.length) return convolutions;
      const rest = withoutTaps(at.output(0), spec(outputs, 0), epilogue(at));
      const all = [rest, ...convolutions];
      return rest.images > 0 ? all : all.map((whole) => ({ ...whole, images: 0 }));
    },
  };
};

/** A direct convolution in tasks of `rows` rows of an image. */
function direct(
  shape: ConvShape,
  rows: number,
  operands: Omit<KernelOperands['convDirect'], keyof ConvShape | 'rowsPerTask'>,
): KernelRecord {
  const tasks = shape.batch * ceilDiv(shape.outHeight, rows);
  return record('convDirect', tasks, { ...shape, ...operands, rowsPerTask: rows }, { images: shape.batch });
}

/** What an epilogue makes of sums without terms: all of dx, front to back, before the phases that have taps overwrite their share. */
function withoutTaps(dx: number, of: TensorSpec, { residual, mask }: Epilogue): KernelRecord {
  const count = elementCount(of.shape);
  const tasks = ceilDiv(count, elementsPerTask);
  const [batch = 0] = of.shape;
  const order = { images: wholeImages(batch, count / batch, elementsPerTask) };
  if (residual === 0) return record('fill', tasks, { y: dx, count, value: 0 }, order);
  if (mask === 0) return record('affine', tasks, { x: residual, y: dx, count, scale: 1, offset: 0 }, order);
  return record('reluGrad', tasks, { dy: residual, y: mask, dx, count }, order);
}

function winograd(
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
