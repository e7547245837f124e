import { FilterDirect, FilterDirectSum } from './generated/records';
import { clearFloats, copyFloats, fetchLines } from './memory';
import { flush, flush4 } from './simd';
import { outer2x16 } from './tile';
import { copyWindow, packWindow } from './window';

/** Even number of run elements and whole panels of 16 channels: what a partial sum is padded to. */
@inline function paddedRun(run: i32): i32 {
  return (run + 1) & ~1;
}

@inline function paddedChannels(channels: i32): i32 {
  return (channels + 15) & ~15;
}

@inline function wholeLines(bytes: usize): usize {
  return (bytes + 63) & ~63;
}

/**
 * Direct conv2dBackpropFilter, first half: partial sums.
 *
 * Task: one of `parts` parts, which come in order, of one of `groups` groups of images, each with its own partial dFilter [filterHeight][outChannels/16][run][16], run =
 * filterWidth·inChannels, padded to even runs and panels of 16: a walk through it is one through memory. The number of groups depends
 * on shapes only, so the sum's tree does not depend on threads. Blocks of rows are copied to scratch, front to back, x padded, x and dy in
 * panels of 16 channels, so that each 2×16 tile reads one cache line a position of either; it sums over the positions of the block.
 * Traffic: x once (plus halo rows), dy once, a partial a block twice.
 *
 * One thread of an AMD EPYC (Zen 4), Node 20, relaxed-simd, batch 32, operands in memory (2026-11-29), GFLOP/s: 1×1 of 16→64 channels at
 * 32×32 30, 64→64 at 16×16 42, 128→64 at 16×16 43, 128→256 at 8×8 45; without the packing 45, 48, 48 and 49.
 */
export function filterDirect(p: FilterDirect, task: i32, scratch: usize): void {
  const run = p.filterWidth * p.inChannels, runPadded = paddedRun(run);
  const outPadded = paddedChannels(p.outChannels), panels = outPadded >> 4;
  const group = task / p.parts, part = task % p.parts;
  const partial = p.partials + (<usize>(p.filterHeight * runPadded * outPadded) << 2) * <usize>group;

  const pixel = <usize>p.inChannels << 2, outPixel = <usize>p.outChannels << 2;
  // Channels of a panel of x: 16, or all where they do not come out even. Of a panel, the kw·C run of a filter row is contiguous.
  const inPanel = (p.inChannels & 15) == 0 ? 16 : p.inChannels, panelPixel = <usize>inPanel << 2, panelRun = p.filterWidth * inPanel;
  // Of a window of one row or column, only those are packed that it reads.
  const packs = inPanel != p.inChannels;
  const rowStep = packs && p.filterHeight == 1 ? p.strideHeight : 1, columnStep = packs && p.filterWidth == 1 ? p.strideWidth : 1;
  const rowStride = p.strideHeight / rowStep, columnStride = p.strideWidth / columnStep;
  const columns = (p.outWidth - 1) * columnStride + p.filterWidth;
  const mostRows = (p.rowsPerBlock - 1) * rowStride + p.filterHeight;
  const zeros = scratch, dyBlock = scratch + 128, window = dyBlock + (<usize>(outPadded * p.outWidth * p.rowsPerBlock) << 2);
  clearFloats(zeros, 128);
  // The last pair of an odd run reads one float past the window.
  store<f32>(window + pixel * <usize>(columns * mostRows), 0);

  const first = group * p.batch / p.groups, images = (group + 1) * p.batch / p.groups - first;
  const begin = first + images * part / p.parts, end = first + images * (part + 1) / p.parts;
  // What the next block packs lies behind what this one does: a share of it is fetched before each tile, so that memory works meanwhile.
  const xRow = pixel * <usize>p.width, dyRow = outPixel * <usize>p.outWidth;
  const xEnd = p.x + xRow * <usize>(p.height * end), dyEnd = p.dy + dyRow * <usize>(p.outHeight * end);
  const tiles = <usize>(p.filterHeight * panels * (runPadded >> 1));
  const xShare = packs && p.strideHeight == 1 ? wholeLines(xRow * <usize>p.rowsPerBlock / tiles) : 0;
  const dyShare = p.outChannels != 16 ? wholeLines(dyRow * <usize>p.rowsPerBlock / tiles) : 0;
  let started = part > 0;
  for (let n = begin; n < end; n++) {
    for (let i = 0; i < p.outHeight; i += p.rowsPerBlock) {
      const rows = min(p.rowsPerBlock, p.outHeight - i);
      const image = p.x + pixel * <usize>(n * p.height * p.width);
      const top = i * p.strideHeight - p.padTop, windowRows = (rows - 1) * rowStride + p.filterHeight;
      let x = window, rowBytes = panelPixel * <usize>columns;
      if (packs) {
        packWindow(window, image, p.height, p.width, p.inChannels, top, windowRows, rowStep, -p.padLeft, columns, columnStep);
      } else if ((run & 1) == 0 && p.filterWidth == 1 && p.padLeft == 0 && columns <= p.width && top >= 0 && top + windowRows <= p.height) {
        // What needs no padding is read where it is; a pair of an odd run would read one float more.
        x = image + pixel * <usize>(top * p.width);
        rowBytes = pixel * <usize>p.width;
      } else {
        copyWindow(window, image, p.height, p.width, p.inChannels, top, windowRows, -p.padLeft, columns);
      }
      const xPanelBytes = panelPixel * <usize>(columns * windowRows);
      const pixels = rows * p.outWidth;
      let dy = p.dy + outPixel * <usize>((n * p.outHeight + i) * p.outWidth);
      let xNext = image + xRow * <usize>(top + windowRows), dyNext = dy + dyRow * <usize>rows;
      if (p.outChannels != 16) {
        packPixels(dyBlock, dy, pixels, p.outChannels);
        dy = dyBlock;
      }
      const panelBytes = <usize>pixels << 6, panelRowBytes = <usize>p.outWidth << 6;
      for (let r = 0; r < p.filterHeight; r++) {
        for (let k = 0; k < panels; k++) {
          const panel = dy + panelBytes * <usize>k, acc = partial + (<usize>((r * panels + k) * runPadded) << 6);
          let xPanel = x + rowBytes * <usize>r;
          for (let c = 0; c < p.inChannels; c += inPanel) {
            for (let a = 0; a < panelRun; a += 2) {
              fetchLines(xNext, min(xNext + xShare, xEnd));
              fetchLines(dyNext, min(dyNext + dyShare, dyEnd));
              xNext += xShare;
              dyNext += dyShare;
              const at = acc + (<usize>(inPanel == p.inChannels ? a : (a >> 4) * p.inChannels + c + (a & 15)) << 6);
              outer2x16(
                at, started ? at : zeros, xPanel + (<usize>a << 2), panel, rows, p.outWidth,
                panelPixel * <usize>columnStride, rowBytes * <usize>rowStride, panelRowBytes,
              );
            }
            xPanel += xPanelBytes;
          }
        }
      }
      started = true;
    }
  }
}

/** [pixels][channels] to panels [channels/16][pixels][16], the last panel filled up with zeros: one cache line a position. */
function packPixels(target: usize, source: usize, pixels: i32, channels: i32): void {
  const whole = <usize>(channels & ~15) << 2, rest = <usize>(channels & 15) << 2;
  const panelBytes = <usize>pixels << 6;
  for (let i = 0; i < pixels; i++) {
    let to = target;
    for (const end = source + whole; source < end; source += 64) {
      v128.store(to, v128.load(source));
      v128.store(to, v128.load(source, 16), 16);
      v128.store(to, v128.load(source, 32), 32);
      v128.store(to, v128.load(source, 48), 48);
      to += panelBytes;
    }
    if (rest != 0) {
      copyFloats(to, source, rest);
      clearFloats(to + rest, 64 - rest);
      source += rest;
    }
    target += 64;
  }
}

/** Run elements that one task of the second half sums. */
const sumBlock: i32 = 8;

/** Second half: dFilter = Σ groups, in order, without the padding. Task: up to eight run elements of one filter row. */
export function filterDirectSum(p: FilterDirectSum, task: i32): void {
  const runPadded = paddedRun(p.run);
  const rowFloats = runPadded * paddedChannels(p.outChannels);
  const groupStep = <usize>(p.filterHeight * rowFloats) << 2, panelStep = <usize>runPadded << 6;
  const blocks = (p.run + sumBlock - 1) / sumBlock;
  const r = task / blocks, first = (task % blocks) * sumBlock;
  const row = p.partials + (<usize>(r * rowFloats) << 2);
  const whole = p.outChannels & ~3;
  for (let a = first; a < min(first + sumBlock, p.run); a++) {
    const from = row + (<usize>a << 6);
    const to = p.dFilter + (<usize>((r * p.run + a) * p.outChannels) << 2);
    for (let k = 0; k < whole; k += 4) {
      let source = from + panelStep * <usize>(k >> 4) + (<usize>(k & 15) << 2);
      let sum = v128.load(source);
      for (let g = 1; g < p.groups; g++) {
        source += groupStep;
        sum = f32x4.add(sum, v128.load(source));
      }
      v128.store(to + (<usize>k << 2), flush4(sum));
    }
    for (let k = whole; k < p.outChannels; k++) {
      let source = from + panelStep * <usize>(k >> 4) + (<usize>(k & 15) << 2);
      let sum = load<f32>(source);
      for (let g = 1; g < p.groups; g++) {
        source += groupStep;
        sum += load<f32>(source);
      }
      store<f32>(to + (<usize>k << 2), flush(sum));
    }
  }
}
