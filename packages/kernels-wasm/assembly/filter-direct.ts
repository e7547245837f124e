import { FilterDirect, FilterDirectSum } from './generated/records';
import { clearFloats, copyFloats } from './memory';
import { flush, flush4 } from './simd';
import { outer2x16 } from './tile';
import { copyWindow } from './window';

/** Even number of run elements and whole panels of 16 channels: what a partial sum is padded to. */
@inline function paddedRun(run: i32): i32 {
  return (run + 1) & ~1;
}

@inline function paddedChannels(channels: i32): i32 {
  return (channels + 15) & ~15;
}

/**
 * Direct conv2dBackpropFilter, first half: partial sums.
 *
 * Task: one of `groups` groups of images, each with its own partial dFilter [filterHeight][run][outChannels], run = filterWidth·inChannels,
 * padded to even runs and panels of 16. The number of groups depends on shapes only, so the sum's tree does not
 * depend on threads. Blocks of rows that fit L1 are copied to scratch, x padded and dy in panels; each
 * 2×16 tile sums over their positions.
 */
export function filterDirect(p: FilterDirect, task: i32, scratch: usize): void {
  const run = p.filterWidth * p.inChannels;
  const runPadded = paddedRun(run), outPadded = paddedChannels(p.outChannels);
  const partialBytes = <usize>(p.filterHeight * runPadded * outPadded) << 2;
  const partial = p.partials + partialBytes * <usize>task;
  memory.fill(partial, 0, partialBytes);

  const pixel = <usize>p.inChannels << 2, outPixel = <usize>p.outChannels << 2;
  const outStep = <usize>outPadded << 2;
  const columns = (p.outWidth - 1) * p.strideWidth + p.filterWidth;
  const outRowBytes = outStep * <usize>p.outWidth;
  const windowRows = (p.rowsPerBlock - 1) * p.strideHeight + p.filterHeight;
  const dyBlock = scratch, window = scratch + outRowBytes * <usize>p.rowsPerBlock;
  // The last pair of an odd run reads one float past the window.
  store<f32>(window + pixel * <usize>(columns * windowRows), 0);

  // A pair of an odd run reads one float more.
  const evenRun = (run & 1) == 0;
  const first = task * p.batch / p.groups, last = (task + 1) * p.batch / p.groups;
  for (let n = first; n < last; n++) {
    for (let i = 0; i < p.outHeight; i += p.rowsPerBlock) {
      const rows = min(p.rowsPerBlock, p.outHeight - i);
      const image = p.x + pixel * <usize>(n * p.height * p.width);
      const top = i * p.strideHeight - p.padTop, windowRows = (rows - 1) * p.strideHeight + p.filterHeight;
      // What needs no padding is read where it is.
      const inside = evenRun && p.filterWidth == 1 && p.padLeft == 0 && columns <= p.width && top >= 0 && top + windowRows <= p.height;
      const x = inside ? image + pixel * <usize>(top * p.width) : window;
      const rowBytes = pixel * <usize>(inside ? p.width : columns);
      if (!inside) copyWindow(window, image, p.height, p.width, p.inChannels, top, windowRows, -p.padLeft, columns);
      const pixels = rows * p.outWidth;
      let dy = p.dy + outPixel * <usize>((n * p.outHeight + i) * p.outWidth);
      if (p.outChannels != 16) {
        packPixels(dyBlock, dy, pixels, p.outChannels);
        dy = dyBlock;
      }
      const panelBytes = <usize>pixels << 6, panelRowBytes = <usize>p.outWidth << 6;
      for (let r = 0; r < p.filterHeight; r++) {
        for (let k = 0; k < outPadded; k += 16) {
          const panel = dy + panelBytes * <usize>(k >> 4);
          for (let a = 0; a < run; a += 2) {
            outer2x16(
              partial + (<usize>((r * runPadded + a) * outPadded + k) << 2), outStep,
              x + rowBytes * <usize>r + (<usize>a << 2), panel, rows, p.outWidth,
              pixel * <usize>p.strideWidth, rowBytes * <usize>p.strideHeight, panelRowBytes,
            );
          }
        }
      }
    }
  }
}

/** [pixels][channels] to panels [channels/16][pixels][16], the last panel filled up with zeros: one cache line a position. */
function packPixels(target: usize, source: usize, pixels: i32, channels: i32): void {
  const step = <usize>channels << 2;
  for (let k = 0; k < channels; k += 16) {
    const bytes = <usize>min(16, channels - k) << 2;
    let from = source + (<usize>k << 2);
    for (let i = 0; i < pixels; i++) {
      copyFloats(target, from, bytes);
      clearFloats(target + bytes, 64 - bytes);
      target += 64;
      from += step;
    }
  }
}

/** Run elements that one task of the second half sums. */
const sumBlock: i32 = 8;

/** Second half: dFilter = Σ groups, in order, without the padding. Task: up to eight run elements of one filter row. */
export function filterDirectSum(p: FilterDirectSum, task: i32): void {
  const outPadded = paddedChannels(p.outChannels);
  const rowFloats = paddedRun(p.run) * outPadded;
  const groupStep = <usize>(p.filterHeight * rowFloats) << 2;
  const blocks = (p.run + sumBlock - 1) / sumBlock;
  const r = task / blocks, first = (task % blocks) * sumBlock;
  const row = p.partials + (<usize>(r * rowFloats) << 2);
  const whole = p.outChannels & ~3;
  for (let a = first; a < min(first + sumBlock, p.run); a++) {
    const from = row + (<usize>(a * outPadded) << 2);
    const to = p.dFilter + (<usize>((r * p.run + a) * p.outChannels) << 2);
    for (let k = 0; k < whole; k += 4) {
      let source = from + (<usize>k << 2);
      let sum = v128.load(source);
      for (let g = 1; g < p.groups; g++) {
        source += groupStep;
        sum = f32x4.add(sum, v128.load(source));
      }
      v128.store(to + (<usize>k << 2), flush4(sum));
    }
    for (let k = whole; k < p.outChannels; k++) {
      let source = from + (<usize>k << 2);
      let sum = load<f32>(source);
      for (let g = 1; g < p.groups; g++) {
        source += groupStep;
        sum += load<f32>(source);
      }
      store<f32>(to + (<usize>k << 2), flush(sum));
    }
  }
}
