import { activationFloor, storePixels, writeEpilogueConstants } from './epilogue';
import { ConvDirect } from './generated/records';
import { clearFloats } from './memory';
import { rows2x16 } from './tile';
import { copyWindow } from './window';

/**
 * Direct convolution: conv2d, and one phase of conv2dBackpropInput.
 *
 * Task: `rowsPerTask` output rows of one image. Their input rows are copied, padded, to scratch (the kw·C run of a
 * filter row is contiguous there; a 1×1 window reads x where it is); pairs of pixels then run over
 * K = filterHeight·filterWidth·inChannels with a packed panel, panel after panel, into a block of results in scratch. The epilogue
 * walks that block pixel by pixel, all channels of each: y is written front to back, as the processor's prefetcher expects it, whereas
 * 64 bytes of every pixel, panel by panel, cost up to three times as much where y is not cached. Result pixel (i, j) is stored at row
 * storeTop + i·storeStride, column storeLeft + j·storeStride of a storeHeight × storeWidth image, which is how the phases of a strided
 * backward pass interleave.
 * Panels: packPanels, once a step. Traffic: x once (plus halo rows), y once.
 *
 * One thread of an AMD EPYC (Zen 4), Node 20, relaxed-simd, batch 32, operands in the cache / in memory (2026-11-28), GFLOP/s:
 * 1×1 of 16→64 channels at 32×32 36 / 31, 128→64 at 16×16 45 / 42, 128→256 at 8×8 50 / 47; 3×3 with stride 2, 32→64 at 16×16, 49 / 46.
 */
export function convDirect(p: ConvDirect, task: i32, scratch: usize): void {
  const tasksPerImage = (p.outHeight + p.rowsPerTask - 1) / p.rowsPerTask;
  const n = task / tasksPerImage;
  const firstRow = (task % tasksPerImage) * p.rowsPerTask;
  const rows = min(p.rowsPerTask, p.outHeight - firstRow);
  const pixel = <usize>p.inChannels << 2;
  const length = p.filterWidth * p.inChannels;
  const columns = (p.outWidth - 1) * p.strideWidth + p.filterWidth;
  const outPadded = (p.outChannels + 15) & ~15, resultPixel = <usize>outPadded << 2;
  const constants = scratch, bias = scratch + 64, results = bias + resultPixel;
  let window = results + resultPixel * <usize>(p.rowsPerTask * p.outWidth);
  writeEpilogueConstants(constants);
  if (p.bias == 0) clearFloats(bias, resultPixel);
  const image = p.x + pixel * <usize>(n * p.height * p.width);
  const top = firstRow * p.strideHeight - p.padTop, windowRows = (rows - 1) * p.strideHeight + p.filterHeight;
  let rowBytes = pixel * <usize>columns;
  if (p.filterWidth == 1 && p.padLeft == 0 && columns <= p.width && top >= 0 && top + windowRows <= p.height) {
    window = image + pixel * <usize>(top * p.width);
    rowBytes = pixel * <usize>p.width;
  } else if (p.filterHeight > 0) {
    copyWindow(window, image, p.height, p.width, p.inChannels, top, windowRows, -p.padLeft, columns);
  }
  const segments = length > 0 ? p.filterHeight : 0;
  const columnStep = pixel * <usize>p.strideWidth, rowStep = rowBytes * <usize>p.strideHeight;
  const panelBytes = <usize>(p.filterHeight * length) << 6;
  // Rows that follow one another without a gap are one long row.
  const dense = rowStep == columnStep * <usize>p.outWidth;
  const lines = dense ? 1 : rows, linePixels = dense ? rows * p.outWidth : p.outWidth;
  const pairs = linePixels >> 1, odd = (linePixels & 1) != 0, last = <usize>(pairs << 1);
  let panel = p.panels;
  for (let k = <usize>0; k < resultPixel; k += 64) {
    for (let i = 0; i < lines; i++) {
      const line = results + k + resultPixel * <usize>(i * linePixels), a = window + rowStep * <usize>i;
      rows2x16(line, resultPixel, panel, a, columnStep, pairs, segments, length, rowBytes);
      if (odd) rows2x16(line + resultPixel * last, 0, panel, a + columnStep * last, 0, 1, segments, length, rowBytes);
    }
    panel += panelBytes;
  }
  const storeColumnStep = <usize>(p.outChannels * p.storeStride) << 2;
  const storeRowStep = storeColumnStep * <usize>p.storeWidth;
  let offset = <usize>((n * p.storeHeight + p.storeTop) * p.storeWidth + p.storeLeft) * (<usize>p.outChannels << 2) + storeRowStep * <usize>firstRow;
  for (let i = 0; i < rows; i++) {
    storePixels(
      results + resultPixel * <usize>(i * p.outWidth), resultPixel, p.outWidth, p.outChannels, p.y, p.bias == 0 ? bias : p.bias,
      p.residual, p.mask, activationFloor(p.relu), constants, offset, storeColumnStep,
    );
    offset += storeRowStep;
  }
}
