import { QuantizedConvDirect, QuantizedPanels } from './generated/records';
import { narrow16, rescale4, round4, widen4, writeRequantizeConstants } from './quantized';
import { rows2x16i16 } from './tile-i16';

/**
 * Direct convolution of bytes: quantizedConv2d of any window.
 *
 * Task: `rowsPerTask` output rows of one image. Their input rows are widened to 16 bits and padded in scratch; pairs of pixels
 * then run over the kw·C run of each filter row, two at a time, with the packed panel. Where a run is odd, it reads one number
 * more, for which the panel has a zero.
 * Panels: [outChannels/16][filterHeight][run/2][16][2] of 16 bits. Traffic: x once (plus halo rows), y once.
 */
export function quantizedConvDirect(p: QuantizedConvDirect, task: i32, scratch: usize): void {
  const tasksPerImage = (p.outHeight + p.rowsPerTask - 1) / p.rowsPerTask;
  const n = task / tasksPerImage;
  const firstRow = (task % tasksPerImage) * p.rowsPerTask;
  const rows = min(p.rowsPerTask, p.outHeight - firstRow);
  const columns = (p.outWidth - 1) * p.strideWidth + p.filterWidth;
  const constants = scratch, tile = scratch + 64;
  const window = tile + (<usize>((p.outWidth + 1) & ~1) << 6);
  writeRequantizeConstants(constants, p.relu, p.residualMultiplier);
  const image = p.x + <usize>(n * p.height * p.width * p.inChannels);
  const windowRows = (rows - 1) * p.strideHeight + p.filterHeight;
  widenWindow(
    window, image, p.height, p.width, p.inChannels, firstRow * p.strideHeight - p.padTop, windowRows, -p.padLeft, columns,
  );
  const pixel = <usize>p.inChannels << 1;
  const rowBytes = pixel * <usize>columns;
  const columnStep = pixel * <usize>p.strideWidth, rowStep = rowBytes * <usize>p.strideHeight;
  const steps = (p.filterWidth * p.inChannels + 1) >> 1;
  const panelBytes = <usize>(p.filterHeight * steps) << 6;
  const pairs = p.outWidth >> 1, odd = (p.outWidth & 1) != 0;
  for (let k = 0; k < p.outChannels; k += 16) {
    const panel = p.panels + <usize>(k >> 4) * panelBytes;
    for (let i = 0; i < rows; i++) {
      const a = window + rowStep * <usize>i;
      rows2x16i16(tile, 64, panel, a, columnStep, pairs, p.filterHeight, steps, rowBytes);
      if (odd) rows2x16i16(tile + (<usize>pairs << 7), 0, panel, a + columnStep * <usize>(pairs << 1), 0, 1, p.filterHeight, steps, rowBytes);
      storeRow(p, tile, k, <usize>((n * p.outHeight + firstRow + i) * p.outWidth * p.outChannels + k), constants);
    }
  }
}

/** Requantizes up to 16 channels from k on of a row of sums, and stores them from `offset` on. */
function storeRow(p: QuantizedConvDirect, tile: usize, k: i32, offset: usize, constants: usize): void {
  const multiplier = p.multiplier + (<usize>k << 2), bias = p.bias + (<usize>k << 2);
  const m0 = v128.load(multiplier), m1 = v128.load(multiplier, 16), m2 = v128.load(multiplier, 32), m3 = v128.load(multiplier, 48);
  const b0 = v128.load(bias), b1 = v128.load(bias, 16), b2 = v128.load(bias, 32), b3 = v128.load(bias, 48);
  const channels = min(16, p.outChannels - k), bytes = constants + 32;
  for (let j = 0; j < p.outWidth; j++) {
    let v0 = rescale4(v128.load(tile), m0, b0), v1 = rescale4(v128.load(tile, 16), m1, b1);
    let v2 = rescale4(v128.load(tile, 32), m2, b2), v3 = rescale4(v128.load(tile, 48), m3, b3);
    if (p.residual != 0) {
      const factor = v128.load32_splat(constants, 16);
      copyBytes(bytes, p.residual + offset, channels);
      const residual = v128.load(bytes);
      v0 = f32x4.add(v0, f32x4.mul(f32x4.convert_i32x4_s(widen4(residual, 0)), factor));
      v1 = f32x4.add(v1, f32x4.mul(f32x4.convert_i32x4_s(widen4(residual, 1)), factor));
      v2 = f32x4.add(v2, f32x4.mul(f32x4.convert_i32x4_s(widen4(residual, 2)), factor));
      v3 = f32x4.add(v3, f32x4.mul(f32x4.convert_i32x4_s(widen4(residual, 3)), factor));
    }
    v128.store(bytes, narrow16(round4(v0, constants), round4(v1, constants), round4(v2, constants), round4(v3, constants)));
    copyBytes(p.y + offset, bytes, channels);
    tile += 64;
    offset += <usize>p.outChannels;
  }
}

@inline function copyBytes(target: usize, source: usize, count: i32): void {
  if (count == 16) {
    v128.store(target, v128.load(source));
    return;
  }
  for (let i: usize = 0; i < <usize>count; i++) store<u8>(target + i, load<u8>(source + i));
}

/** Rows and columns of one image as in `copyWindow`, its bytes widened to 16 bits, with zeros where the range leaves it. */
function widenWindow(
  target: usize, image: usize, height: i32, width: i32, channels: i32, top: i32, rows: i32, left: i32, columns: i32,
): void {
  const first = max(left, 0), last = max(first, min(left + columns, width));
  const before = (first - left) * channels, inside = (last - first) * channels, after = (left + columns - last) * channels;
  for (let r = 0; r < rows; r++) {
    const i = top + r;
    if (i < 0 || i >= height) {
      target = clearNumbers(target, before + inside + after);
    } else {
      target = clearNumbers(target, before);
      target = widenNumbers(target, image + <usize>((i * width + first) * channels), inside);
      target = clearNumbers(target, after);
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
