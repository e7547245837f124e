import { elementCount } from '@skiplane/core';
import { padTo16, tileCount, windowShape, type ConvShape } from './conv-plan.ts';
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
  const { filterHeight, filterWidth, strideHeight, strideWidth, inChannels, outChannels, padTop, padLeft } = shape;
  const isThree = filterHeight === 3 && filterWidth === 3 && strideHeight === 1 && strideWidth === 1;
  const whole = inChannels % 8 === 0 && outChannels % 4 === 0 && padTop <= 2 && padLeft <= 2;
  const exact = 9 * inChannels * 128 * 128 < 2 ** 25;
  if (conv === 'direct' || !isThree || !whole || !exact) return false;
  const { batch, outHeight, outWidth } = shape;
  return conv === 'winograd' || 2 * batch * outHeight * outWidth >= 16 * tileCount(shape);
}

function direct(op: OpView<'quantizedConv2d'>, shape: ConvShape): ReturnType<Lower<'quantizedConv2d'>> {
  const { batch, inChannels, outChannels, outHeight, outWidth, filterHeight, filterWidth, strideHeight, strideWidth } =
    shape;
  const rowBytes = ((outWidth - 1) * strideWidth + filterWidth) * inChannels * 2;
  const fitting = Math.floor((windowBytes / rowBytes - filterHeight) / strideHeight) + 1;
  const rowsPerTask = Math.max(1, Math.min(fitting, outHeight));
  const run = filterWidth * inChannels;
  const panels = padTo16(outChannels) / 16;
  return {
    kernels: ['quantizedConv2d.direct-2x16-i16'],
    workspaceBytes: 0,
    scratchBytes:
      64 + 64 * (outWidth + (outWidth % 2)) + align(rowBytes * ((rowsPerTask - 1) * strideHeight + filterHeight) + 64),
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
  const tilesPerTask = Math.max(2, Math.min(32, Math.floor(winogradBytes / tileBytes / 2) * 2));
  return {
    kernels: ['quantizedConv2d.exact-winograd-4x4-i16'],
    workspaceBytes: 0,
    // Vectors and constants, a patch, V and M; the filter's transform takes 1,440 bytes of it.
    scratchBytes: Math.max(1440, 1088 + align(36 * inChannels) + align(tilesPerTask * tileBytes + 2 * 36 * 64)),
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
