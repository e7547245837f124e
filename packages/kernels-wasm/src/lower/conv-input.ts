import { elementCount, type TensorSpec } from '@skiplane/core';
import { backwardPhases } from './conv-phases.ts';
import { directRows, directScratchBytes, padTo16, useWinograd, windowShape, type ConvShape } from './conv-plan.ts';
import { direct, winograd, type Epilogue } from './conv.ts';
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
} from './lowering.ts';

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
