import { activationFloor, storePixel, storePixels, writeEpilogueConstants } from './epilogue';
import { ConvDirect } from './generated/records';
import { clearFloats } from './memory';
import { rows2x16 } from './tile';
import { copyWindow } from './window';

/**
 * Direct convolution: conv2d, and one phase of conv2dBackpropInput.
 *
 * Task: `rowsPerTask` output rows of one image. Their input rows are copied, padded, to scratch (the kw·C run of a
 * filter row is contiguous there; a 1×1 window reads x where it is); pairs of pixels then run over
 * K = filterHeight·filterWidth·inChannels with the packed panel, a row at a time, before the epilogue. Result pixel (i, j) is stored at row storeTop + i·storeStride, column storeLeft + j·storeStride of a
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
  const zeros = scratch, constants = scratch + 64, tile = scratch + 128;
  let window = tile + (<usize>((p.outWidth + 1) & ~1) << 6);
  clearFloats(zeros, 64);
  writeEpilogueConstants(constants);
  const floor = activationFloor(p.relu);
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
  const storePixelBytes = <usize>p.outChannels << 2;
  const storeColumnStep = storePixelBytes * <usize>p.storeStride;
  const storeRowStep = storeColumnStep * <usize>p.storeWidth;
  const corner = <usize>(n * p.storeHeight * p.storeWidth + p.storeTop * p.storeWidth + p.storeLeft) * storePixelBytes;
  const pairs = p.outWidth >> 1, odd = (p.outWidth & 1) != 0;
  for (let k = 0; k < p.outChannels; k += 16) {
    const panel = p.panels + <usize>(k >> 4) * panelBytes;
    const channels = min(16, p.outChannels - k);
    const bias: usize = p.bias == 0 ? zeros : p.bias + (<usize>k << 2);
    for (let i = 0; i < rows; i++) {
      const a = window + rowStep * <usize>i;
      rows2x16(tile, 64, panel, a, columnStep, pairs, segments, length, rowBytes);
      if (odd) rows2x16(tile + (<usize>pairs << 7), 0, panel, a + columnStep * <usize>(pairs << 1), 0, 1, segments, length, rowBytes);
      let offset = corner + (<usize>k << 2) + storeRowStep * <usize>(firstRow + i);
      if (channels == 16) {
        storePixels(tile, p.outWidth, p.y, bias, p.residual, p.mask, floor, constants, offset, storeColumnStep);
      } else {
        for (let j = 0; j < p.outWidth; j++) {
          storePixel(tile + (<usize>j << 6), channels, p.y, bias, p.residual, p.mask, floor, constants, offset);
          offset += storeColumnStep;
        }
      }
    }
  }
}
