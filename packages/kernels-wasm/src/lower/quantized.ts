import { elementCount } from '@skiplane/core';
import { padTo16, tileCount, tilesWithin, windowShape, type ConvShape } from './conv-plan.ts';
import {
  align,
  ceilDiv,
  elementsPerTask,
  record,
  single,
  spec,
  type Addresses,
  type Lower,
  type LowerOptions,
  type OpView,
} from './lowering.ts';

export { operandNames } from '../generated/records-quantized.ts';

export const quantize: Lower<'quantize'> = ({ attrs: { multiplier }, inputs }) => {
  const count = elementCount(spec(inputs, 0).shape);
  return single('quantize', (at) => [
    record('quantize', ceilDiv(count, elementsPerTask), { x: at.input(0), y: at.output(0), count, multiplier }),
  ]);
};

export const dequantize: Lower<'dequantize'> = ({ attrs: { scale }, inputs }) => {
  const count = elementCount(spec(inputs, 0).shape);
  return single('dequantize', (at) => [
    record('dequantize', ceilDiv(count, elementsPerTask), { x: at.input(0), y: at.output(0), count, scale }),
  ]);
};

/** What the widened rows of a direct task may take: half of a small L1. */
const windowBytes = 16 * 1024;
/** What the sums of 16 channels of a direct task may take: a quarter of it. */
const resultBytes = 8 * 1024;
/** What V and M of a Winograd task may take, of a small L2. */
const winogradBytes = 128 * 1024;

export const quantizedConv2d: Lower<'quantizedConv2d'> = (op) => {
  const { inputs, outputs, attrs, options } = op;
  const shape = windowShape(spec(inputs, 0).shape, spec(inputs, 1).shape, spec(outputs, 0).shape, attrs.window);
  return useWinograd(shape, options) ? winograd(op, shape) : direct(op, shape);
};

/** The operands that both kernels have. */
const operandsOf = ({ attrs: { residual, activation } }: OpView<'quantizedConv2d'>, at: Addresses) => ({
  x: at.input(0),
  multiplier: at.input(2),
  bias: at.input(3),
  residual: residual === null ? 0 : at.input(4),
  residualMultiplier: residual ?? 0,
  relu: activation === 'relu' ? 1 : 0,
  y: at.output(0),
});

/** Whether Winograd's sums are exact, its vectors whole, and most of each tile within the image. */
function useWinograd(shape: ConvShape, { conv }: LowerOptions): boolean {
  const { filterHeight, filterWidth, strideHeight, strideWidth, inChannels, padTop, padLeft } = shape;
  const isThree = filterHeight === 3 && filterWidth === 3 && strideHeight === 1 && strideWidth === 1;
  const whole = inChannels % 8 === 0 && padTop <= 2 && padLeft <= 2;
  const exact = 9 * inChannels * 128 * 128 < 2 ** 25;
  if (conv === 'direct' || !isThree || !whole || !exact) return false;
  const { batch, outHeight, outWidth } = shape;
  return conv === 'winograd' || 2 * batch * outHeight * outWidth >= 16 * tileCount(shape);
}

function direct(op: OpView<'quantizedConv2d'>, shape: ConvShape): ReturnType<Lower<'quantizedConv2d'>> {
  const { batch, inChannels, outChannels, outHeight, outWidth, filterHeight, filterWidth, strideHeight, strideWidth } =
    shape;
  // Of a 1×1 window only the pixels that it reads are widened.
  const [stepHeight, stepWidth] = filterHeight * filterWidth === 1 ? [1, 1] : [strideHeight, strideWidth];
  const rowBytes = ((outWidth - 1) * stepWidth + filterWidth) * inChannels * 2;
  const windowRows = Math.floor((windowBytes / rowBytes - filterHeight) / stepHeight) + 1;
  const rowsPerTask = Math.max(1, Math.min(windowRows, Math.floor(resultBytes / (64 * outWidth)), outHeight));
  const run = filterWidth * inChannels;
  const panels = padTo16(outChannels) / 16;
  return {
    kernels: ['quantizedConv2d.direct-2x16-i16'],
    workspaceBytes: 0,
    scratchBytes:
      16 + 64 * outWidth * rowsPerTask + align(rowBytes * ((rowsPerTask - 1) * stepHeight + filterHeight) + 64),
    packing: {
      input: 1,
      bytes: panels * filterHeight * ceilDiv(run, 2) * 64,
      records: (source, packed) => [
        record('quantizedPanels', panels, { source, panels: packed, filterHeight, run, outChannels }),
      ],
    },
    records: (at) => [
      record('quantizedConvDirect', batch * ceilDiv(outHeight, rowsPerTask), {
        ...shape,
        ...operandsOf(op, at),
        panels: at.packed,
        rowsPerTask,
      }),
    ],
  };
}

function winograd(op: OpView<'quantizedConv2d'>, shape: ConvShape): ReturnType<Lower<'quantizedConv2d'>> {
  const { inChannels, outChannels } = shape;
  const padded = padTo16(outChannels);
  const tileBytes = 36 * (2 * inChannels + 4 * padded);
  const tilesPerTask = tilesWithin(winogradBytes, tileBytes, shape, op.options.threads);
  const strip = 13 * inChannels * (4 * Math.min(tilesPerTask, ceilDiv(shape.outWidth, 4)) + 2);
  return {
    kernels: ['quantizedConv2d.exact-winograd-4x4-i16'],
    workspaceBytes: 0,
    // Constants and sums of a tile, a strip of patches, V, M and multipliers; the filter's transform takes 1,440 bytes of it.
    scratchBytes: 1472 + align(strip + tilesPerTask * tileBytes + 36 * 64 + 4 * padded),
    packing: {
      input: 1,
      bytes: 36 * (padded * inChannels * 2 + 64),
      records: (source, packed) => [
        record('quantizedWinogradFilter', padded / 16, { source, panels: packed, inChannels, outChannels }),
      ],
    },
    records: (at) => [
      record('quantizedWinogradConv', ceilDiv(tileCount(shape), tilesPerTask), {
        ...shape,
        ...operandsOf(op, at),
        panels: at.packed,
        tilesPerTask,
      }),
    ],
  };
}
