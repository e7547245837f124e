import { activationFloor, storePixel } from './epilogue';
import { ConvDirect } from './generated/records';
import { clearFloats } from './memory';
import { rows2x16, storeRows2x16, writeTileConstants } from './tile';
import { copyWindow } from './window';

/** Panels whose products are made before the next ones': what a small L2 keeps beside the images. */
const panelGroupBytes: usize = 128 * 1024;

/**
 * Direct convolution: conv2d, and one phase of conv2dBackpropInput.
 *
 * Task: `rowsPerTask` output rows of one image. Their input rows are copied, padded, to scratch (the kw·C run of a
 * filter row is contiguous there; a 1×1 window reads x where it is); pairs of pixels then run over
 * K = filterHeight·filterWidth·inChannels with one packed panel after the other, and their results go through the epilogue to y. So x, y and
 * what the epilogue reads are walked front to back, a little at a time, and the prefetcher fetches them while products are made; panels come from L2.
 * A last panel that is not full goes by way of scratch. Result pixel (i, j) is stored at row
 * storeTop + i·storeStride, column storeLeft + j·storeStride of a storeHeight × storeWidth image, which is how the phases of a strided
 * backward pass interleave.
 * Panels: packPanels, once a step. Traffic: x once (plus halo rows), y once.
 *
 * One thread of an AMD EPYC (Zen 4), Node 20, relaxed-simd, batch 32, operands in memory (2026-11-29), GFLOP/s, and with a residual:
 * 1×1 of 16→64 channels at 32×32 42 and 38, 64→16 49 and 49, 128→64 at 16×16 48 and 48, 128→256 at 8×8 51 and 49; a loop of multiply-adds reaches 56.
 */
export function convDirect(p: ConvDirect, task: i32, scratch: usize): void {
  const tasksPerImage = (p.outHeight + p.rowsPerTask - 1) / p.rowsPerTask;
  const n = task / tasksPerImage;
  const firstRow = (task % tasksPerImage) * p.rowsPerTask;
  const rows = min(p.rowsPerTask, p.outHeight - firstRow);
  const pixel = <usize>p.inChannels << 2;
  const length = p.filterWidth * p.inChannels;
  const columns = (p.outWidth - 1) * p.strideWidth + p.filterWidth;
  const outPadded = (p.outChannels + 15) & ~15;
  const constants = scratch, zeros = scratch + 64, results = zeros + (<usize>outPadded << 2);
  let window = (p.outChannels & 15) == 0 ? results : results + (<usize>(p.rowsPerTask * p.outWidth) << 6);
  const floor = activationFloor(p.relu);
  writeTileConstants(constants, floor);
  if (p.bias == 0) clearFloats(zeros, <usize>outPadded << 2);
  const bias = p.bias == 0 ? zeros : p.bias;
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
  const storeColumnStep = <usize>(p.outChannels * p.storeStride) << 2, storeRowStep = storeColumnStep * <usize>p.storeWidth;
  // Rows that follow one another without a gap are one long row.
  const dense = rowStep == columnStep * <usize>p.outWidth && storeRowStep == storeColumnStep * <usize>p.outWidth;
  const lines = dense ? 1 : rows, linePixels = dense ? rows * p.outWidth : p.outWidth;
  const pairs = linePixels >> 1, odd = (linePixels & 1) != 0, last = <usize>(pairs << 1);
  const panelBytes = <usize>(p.filterHeight * length) << 6;
  const panels = p.outChannels >> 4, rest = p.outChannels & 15;
  const most = <i32>max<usize>(1, panelGroupBytes / max<usize>(1, panelBytes));
  const first = <usize>((n * p.storeHeight + p.storeTop) * p.storeWidth + p.storeLeft) * (<usize>p.outChannels << 2) + storeRowStep * <usize>firstRow;
  for (let k = 0; k < panels; k += most) {
    const panel = p.panels + panelBytes * <usize>k, count = min(most, panels - k), channel = <usize>k << 6;
    for (let i = 0; i < lines; i++) {
      const a = window + rowStep * <usize>i, offset = first + channel + storeRowStep * <usize>i;
      storeRows2x16(
        p.y, storeColumnStep, panel, count, a, columnStep, pairs, segments, length, rowBytes,
        bias + channel, p.residual, p.mask, constants, offset,
      );
      if (!odd) continue;
      storeRows2x16(
        p.y, 0, panel, count, a + columnStep * last, 0, 1, segments, length, rowBytes,
        bias + channel, p.residual, p.mask, constants, offset + storeColumnStep * last,
      );
    }
  }
  if (rest == 0) return;
  const panel = p.panels + panelBytes * <usize>panels, channel = <usize>panels << 6;
  for (let i = 0; i < lines; i++) {
    const a = window + rowStep * <usize>i;
    rows2x16(results, 64, panel, a, columnStep, pairs, segments, length, rowBytes);
    if (odd) rows2x16(results + (last << 6), 0, panel, a + columnStep * last, 0, 1, segments, length, rowBytes);
    let offset = first + channel + storeRowStep * <usize>i;
    for (let j = 0; j < linePixels; j++) {
      storePixel(
        results + (<usize>j << 6), rest, p.y, bias + channel, p.residual, p.mask, floor, constants, offset,
      );
      offset += storeColumnStep;
    }
  }
}
