import { QuantizedConvDirect, QuantizedPanels } from './generated/records';
import { requantize, requantizeBytes, writeRequantizeConstants } from './requantize';
import { rows2x16i16 } from './tile-i16';

/**
 * Direct convolution of bytes: quantizedConv2d of any window.
 *
 * Task: `rowsPerTask` output rows of one image. Their input rows are widened to 16 bits and padded in scratch, of a 1×1 window only
 * the pixels that it reads; pairs of pixels then run over the kw·C run of each filter row, two at a time, with the packed panel.
 * Where a run is odd, it reads one number more, for which the panel has a zero.
 * Panels: [outChannels/16][filterHeight][run/2][16][2] of 16 bits. Traffic: x once (plus halo rows), y once.
 */
export function quantizedConvDirect(p: QuantizedConvDirect, task: i32, scratch: usize): void {
  const tasksPerImage = (p.outHeight + p.rowsPerTask - 1) / p.rowsPerTask;
  const n = task / tasksPerImage;
  const firstRow = (task % tasksPerImage) * p.rowsPerTask;
  const rows = min(p.rowsPerTask, p.outHeight - firstRow);
  const sums = scratch + requantizeBytes, sumsStep = <usize>p.outWidth << 6;
  const window = sums + sumsStep * <usize>p.rowsPerTask;
  writeRequantizeConstants(scratch, p.relu, p.residualMultiplier);
  const image = p.x + <usize>(n * p.height * p.width * p.inChannels);
  const top = firstRow * p.strideHeight - p.padTop;
  const pixel = <usize>p.inChannels << 1;
  // Of a 1×1 window only the pixels that it reads: they lie side by side.
  const one = p.filterHeight == 1 && p.filterWidth == 1;
  const stepHeight = one ? 1 : p.strideHeight, stepWidth = one ? 1 : p.strideWidth;
  const columns = (p.outWidth - 1) * stepWidth + p.filterWidth, windowRows = (rows - 1) * stepHeight + p.filterHeight;
  widenWindow(
    window, image, p.height, p.width, p.inChannels, top, windowRows, p.strideHeight / stepHeight, -p.padLeft, columns, p.strideWidth / stepWidth,
  );
  const columnStep = pixel * <usize>stepWidth, rowBytes = pixel * <usize>columns, rowStep = rowBytes * <usize>stepHeight;
  const steps = (p.filterWidth * p.inChannels + 1) >> 1;
  const panelBytes = <usize>(p.filterHeight * steps) << 6;
  // Rows that follow one another without a gap are one long row.
  const dense = rowStep == columnStep * <usize>p.outWidth;
  const lines = dense ? 1 : rows, linePixels = dense ? rows * p.outWidth : p.outWidth;
  const pairs = linePixels >> 1, odd = (linePixels & 1) != 0, last = <usize>(pairs << 1);
  const outPixel = <usize>p.outChannels, outRow = outPixel * <usize>p.outWidth;
  let offset = outRow * <usize>(n * p.outHeight + firstRow), panel = p.panels;
  for (let k = 0; k < p.outChannels; k += 16) {
    for (let i = 0; i < lines; i++) {
      const line = sums + (<usize>(i * linePixels) << 6), a = window + rowStep * <usize>i;
      rows2x16i16(line, 64, panel, a, columnStep, pairs, p.filterHeight, steps, rowBytes);
      if (odd) rows2x16i16(line + (last << 6), 0, panel, a + columnStep * last, 0, 1, p.filterHeight, steps, rowBytes);
    }
    const at = <usize>k << 2;
    requantize(
      sums, sumsStep, rows, p.outWidth, min(16, p.outChannels - k), p.multiplier + at, p.bias + at,
      p.y + offset, p.residual == 0 ? 0 : p.residual + offset, outRow, outPixel, scratch,
    );
    offset += 16;
    panel += panelBytes;
  }
}

/**
 * Pixels of one image, widened to 16 bits, with zeros where they leave it: `rows` rows from `top` on, `columns` columns from `left` on,
 * each `rowStep` and `columnStep` behind the one before.
 */
function widenWindow(
  target: usize, image: usize, height: i32, width: i32, channels: i32, top: i32, rows: i32, rowStep: i32, left: i32, columns: i32, columnStep: i32,
): void {
  // The first column that is not left of the image, and the first that is right of it.
  const first = min(columns, left < 0 ? (columnStep - 1 - left) / columnStep : 0);
  const last = max(first, min(columns, (width - left + columnStep - 1) / columnStep));
  const pieces = columnStep == 1 ? 1 : last - first, piece = columnStep == 1 ? (last - first) * channels : channels;
  for (let r = 0; r < rows; r++) {
    const i = top + r * rowStep;
    if (i < 0 || i >= height) {
      target = clearNumbers(target, columns * channels);
    } else {
      target = clearNumbers(target, first * channels);
      let source = image + <usize>((i * width + left + first * columnStep) * channels);
      for (let j = 0; j < pieces; j++) {
        target = widenNumbers(target, source, piece);
        source += <usize>(columnStep * channels);
      }
      target = clearNumbers(target, (columns - last) * channels);
    }
  }
}

@inline function clearNumbers(target: usize, count: i32): usize {
  const end = target + (<usize>count << 1);
  for (; target + 16 <= end; target += 16) v128.store(target, i32x4.splat(0));
  for (; target < end; target += 2) store<i16>(target, 0);
  return end;
}

@inline function widenNumbers(target: usize, source: usize, count: i32): usize {
  const end = target + (<usize>count << 1);
  for (; target + 16 <= end; target += 16, source += 8) v128.store(target, v128.load8x8_s(source));
  for (; target < end; target += 2, source++) store<i16>(target, load<i8>(source));
  return end;
}

/** Packs an HWIO filter of bytes: `run` is filterWidth·inChannels. Task: one panel of 16 output channels. */
export function quantizedPanels(p: QuantizedPanels, task: i32): void {
  const steps = (p.run + 1) >> 1;
  const columns = min(16, p.outChannels - (task << 4));
  let target = p.panels + (<usize>(task * p.filterHeight * steps) << 6);
  for (let r = 0; r < p.filterHeight; r++) {
    for (let k = 0; k < p.run; k += 2) {
      const source = p.source + <usize>((r * p.run + k) * p.outChannels + (task << 4));
      for (let j = 0; j < 16; j++) {
        const at = source + <usize>j;
        store<i16>(target, j < columns ? load<i8>(at) : 0);
        store<i16>(target, j < columns && k + 1 < p.run ? load<i8>(at + <usize>p.outChannels) : 0, 2);
        target += 4;
      }
    }
  }
}
