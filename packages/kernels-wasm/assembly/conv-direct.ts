import { activationFloor, storePixel } from './epilogue';
import { ConvDirect } from './generated/records';
import { clearFloats } from './memory';
import { tile2x16 } from './tile';
import { copyWindow } from './window';

/**
 * Direct convolution: conv2d, and one phase of conv2dBackpropInput.
 *
 * Task: `rowsPerTask` output rows of one image. Their input rows are copied, padded, to scratch (the kw·C run of a
 * filter row is contiguous there); each 2×16 tile then runs over K = filterHeight·filterWidth·inChannels with the packed
 * panel. Result pixel (i, j) is stored at row storeTop + i·storeStride, column storeLeft + j·storeStride of a
 * storeHeight × storeWidth image, which is how the phases of a strided backward pass interleave.
 * Panels: packPanels, once a step. Traffic: x once (plus halo rows), y once.
 */
export function convDirect(p: ConvDirect, task: i32, scratch: usize): void {
  const tasksPerImage = (p.outHeight + p.rowsPerTask - 1) / p.rowsPerTask;
  const n = task / tasksPerImage;
  const firstRow = (task % tasksPerImage) * p.rowsPerTask;
  const rows = min(p.rowsPerTask, p.outHeight - firstRow);
  const pixel = <usize>p.inChannels << 2;
  const length = p.filterWidth * p.inChannels;
  const columns = (p.outWidth - 1) * p.strideWidth + p.filterWidth;
  const tile = scratch, zeros = scratch + 128, window = scratch + 192;
  clearFloats(zeros, 64);
  const floor = activationFloor(p.relu);
  const rowBytes = pixel * <usize>columns;
  if (p.filterHeight > 0) {
    copyWindow(
      window, p.x + pixel * <usize>(n * p.height * p.width), p.height, p.width, p.inChannels,
      firstRow * p.strideHeight - p.padTop, (rows - 1) * p.strideHeight + p.filterHeight, -p.padLeft, columns,
    );
  }
  const segments = length > 0 ? p.filterHeight : 0;
  const columnStep = pixel * <usize>p.strideWidth, rowStep = rowBytes * <usize>p.strideHeight;
  const panelBytes = <usize>(p.filterHeight * length) << 6;
  const storePixelBytes = <usize>p.outChannels << 2;
  const storeColumnStep = storePixelBytes * <usize>p.storeStride;
  const storeRowStep = storeColumnStep * <usize>p.storeWidth;
  const image = <usize>(n * p.storeHeight * p.storeWidth + p.storeTop * p.storeWidth + p.storeLeft) * storePixelBytes;
  for (let k = 0; k < p.outChannels; k += 16) {
    const panel = p.panels + <usize>(k >> 4) * panelBytes;
    const channels = min(16, p.outChannels - k);
    const bias: usize = p.bias == 0 ? zeros : p.bias + (<usize>k << 2);
    const base = image + (<usize>k << 2);
    for (let i = 0; i < rows; i++) {
      let a = window + rowStep * <usize>i;
      let offset = base + storeRowStep * <usize>(firstRow + i);
      for (let j = 0; j < p.outWidth; j += 2) {
        const single = j + 1 == p.outWidth;
        tile2x16(tile, 64, panel, a, single ? a : a + columnStep, segments, length, rowBytes);
        storePixel(tile, channels, p.y, bias, p.residual, p.mask, floor, offset);
        if (!single) storePixel(tile + 64, channels, p.y, bias, p.residual, p.mask, floor, offset + storeColumnStep);
        a += columnStep << 1;
        offset += storeColumnStep << 1;
      }
    }
  }
}
