import { activationFloor, storePixel, storeVector, writeEpilogueConstants } from './epilogue';
import { WinogradConv, WinogradFilterTransform } from './generated/records';
import { clearFloats, copyFloats } from './memory';
import { madd } from './simd';
import { patchProducts } from './tile-winograd';
import { factor4, factorBytes, stripColumns, transformRow, transformStrips, writeFactors } from './winograd-input';

/**
 * Winograd convolution F(4×4, 3×3), stride 1, channels in the vector lanes (Lavin & Gray 2016).
 *
 * y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A on tiles of 4×4 results and 6×6 inputs: 36 products instead of 144 a tile and channel pair.
 * Points 0, ±1, ±2, ∞. Filter panels [36][outChannels/16][inChannels][16]; V, M and M·A of one row of six planes at a time, in scratch.
 * Backward-data is the same on flipped, transposed filters.
 * Traffic: x once and the rows that strips share, y once; the panels once a task, from the L2 or beyond it.
 *
 * One thread of an AMD EPYC (Zen 4), Node 20, relaxed-simd, 8 images in the cache / 128 in memory (2026-11-28), GFLOP/s of the
 * direct count: 16 channels at 32×32 125 / 100, 32 at 16×16 160 / 138, 64 at 8×8 178 / 166.
 */

const planes: i32 = 36;

/** Bytes between planes: 64 more than the data, so that 36 planes do not fall into one cache set. */
@inline export function planeBytes(floats: i32): usize {
  return (<usize>floats << 2) + 64;
}

/** G·g for one column of three taps: six values. Four channels in the lanes. */
@inline function filterColumn(g0: v128, g1: v128, g2: v128, target: usize, step: usize): void {
  const quarter = f32x4.splat(0.25), sixth = f32x4.splat(1.0 / 6.0), twentyFourth = f32x4.splat(1.0 / 24.0);
  const outer = f32x4.mul(f32x4.add(g0, g2), sixth), middle = f32x4.mul(g1, sixth);
  const even = f32x4.mul(f32x4.add(g0, f32x4.mul(g2, f32x4.splat(4))), twentyFourth), odd = f32x4.mul(g1, f32x4.splat(1.0 / 12.0));
  v128.store(target, f32x4.mul(g0, quarter));
  v128.store(target + step, f32x4.neg(f32x4.add(outer, middle)));
  v128.store(target + 2 * step, f32x4.sub(middle, outer));
  v128.store(target + 3 * step, f32x4.add(even, odd));
  v128.store(target + 4 * step, f32x4.sub(even, odd));
  v128.store(target + 5 * step, g2);
}

/**
 * U = G g Gᵀ for one panel of 16 output channels of the convolution that uses it. With `backward`, taps are flipped and
 * channels change roles. Task: one panel. Scratch: 36 + 18 + 36 vectors.
 */
export function winogradFilterTransform(p: WinogradFilterTransform, task: i32, scratch: usize): void {
  const inner = p.backward != 0 ? p.outChannels : p.inChannels;
  const columns = p.backward != 0 ? p.inChannels : p.outChannels;
  const panels = (columns + 15) >> 4;
  const tapStep = <usize>(p.inChannels * p.outChannels) << 2;
  const planeStep = planeBytes(panels * inner * 16);
  const taps = scratch, half = scratch + 576, whole = half + 288;
  for (let k = 0; k < inner; k += 4) {
    for (let lane = 0; lane < 16; lane += 4) {
      gatherTaps(p, k, (task << 4) + lane, columns, tapStep, taps);
      for (let j = 0; j < 4; j++) {
        for (let s = 0; s < 3; s++) {
          const at = taps + <usize>(j * 144 + (s << 4));
          filterColumn(v128.load(at), v128.load(at, 48), v128.load(at, 96), half + (<usize>s << 4), 48);
        }
        for (let i = 0; i < 6; i++) {
          const at = half + <usize>i * 48;
          filterColumn(v128.load(at), v128.load(at, 16), v128.load(at, 32), whole + <usize>i * 96, 16);
        }
        const target = p.panels + (<usize>((task * inner + k + j) * 16 + lane) << 2);
        for (let plane = 0; plane < planes; plane++) {
          v128.store(target + planeStep * <usize>plane, v128.load(whole + (<usize>plane << 4)));
        }
      }
    }
  }
}

/** The nine taps of four output columns at `column`, zero beyond the last, for each of four inner channels at `k`: [4][9][4]. */
function gatherTaps(p: WinogradFilterTransform, k: i32, column: i32, columns: i32, tapStep: usize, taps: usize): void {
  const step = <usize>p.outChannels << 2;
  for (let tap = 0; tap < 9; tap++) {
    const to = taps + (<usize>tap << 4);
    if (p.backward != 0) {
      const at = p.source + tapStep * <usize>(8 - tap) + step * <usize>column + (<usize>k << 2);
      const r0 = row(at, column, columns), r1 = row(at + step, column + 1, columns);
      const r2 = row(at + 2 * step, column + 2, columns), r3 = row(at + 3 * step, column + 3, columns);
      const a = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), b = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const c = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), d = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<i64>(a, b, 0, 2));
      v128.store(to, v128.shuffle<i64>(a, b, 1, 3), 144);
      v128.store(to, v128.shuffle<i64>(c, d, 0, 2), 288);
      v128.store(to, v128.shuffle<i64>(c, d, 1, 3), 432);
    } else {
      let at = p.source + tapStep * <usize>tap + step * <usize>k + (<usize>column << 2);
      const count = <usize>max(0, min(4, columns - column)) << 2;
      for (let j: usize = 0; j < 576; j += 144) {
        copyFloats(to + j, at, count);
        clearFloats(to + j + count, 16 - count);
        at += step;
      }
    }
  }
}

@inline function row(at: usize, column: i32, columns: i32): v128 {
  return column < columns ? v128.load(at) : f32x4.splat(0);
}

/** Where a task's scratch has the epilogue's constants, four vectors of results, and the bias of zeros. */
const constantPlace: usize = factorBytes, resultPlace: usize = constantPlace + 64, biasPlace: usize = resultPlace + 64;

/** Aᵀ·m for six values 64 bytes apart: four values `to` bytes apart. */
@inline function outputValues(source: usize, target: usize, to: usize, four: v128): void {
  const m1 = v128.load(source, 64), m2 = v128.load(source, 128), m3 = v128.load(source, 192), m4 = v128.load(source, 256);
  const a = f32x4.add(m1, m2), b = f32x4.sub(m1, m2), e = f32x4.add(m3, m4), f = f32x4.sub(m3, m4), twice = f32x4.add(f, f);
  v128.store(target, f32x4.add(v128.load(source), f32x4.add(a, e)));
  v128.store(target + to, f32x4.add(twice, b));
  v128.store(target + 2 * to, madd(four, e, a));
  v128.store(target + 3 * to, f32x4.add(madd(four, twice, b), v128.load(source, 320)));
}

/**
 * conv2d or conv2dBackpropInput of a 3×3 window at stride 1. Task: `tilesPerTask` tiles of 4×4 results, counted over
 * batch, rows and columns of tiles. Scratch: constants, a bias of zeros, strips of patches, and of one row of patches V, M and all rows of M·A.
 */
export function winogradConv(p: WinogradConv, task: i32, scratch: usize): void {
  const inChannels = p.inChannels, outPadded = (p.outChannels + 15) & ~15;
  const tileRows = (p.outHeight + 3) >> 2, tileColumns = (p.outWidth + 3) >> 2;
  const first = task * p.tilesPerTask;
  const tiles = min(p.tilesPerTask, p.batch * tileRows * tileColumns - first);
  const pixel = <usize>inChannels << 2, outPixel = <usize>outPadded << 2;
  const bias = scratch + biasPlace, strips = bias + outPixel;
  const stripStep = planeBytes(stripColumns(p.tilesPerTask, tileColumns) * inChannels);
  const V = strips + 6 * stripStep + pixel * <usize>(4 * min(p.tilesPerTask, tileColumns) + 2);
  const M = V + pixel * 6 * <usize>p.tilesPerTask, halves = M + outPixel * 6 * <usize>p.tilesPerTask;
  const panelStep = planeBytes(outPadded * inChannels) * 6;
  writeFactors(scratch);
  writeEpilogueConstants(scratch + constantPlace);
  if (p.bias == 0) clearFloats(bias, outPixel);
  transformStrips(
    p.x, p.height, p.width, inChannels, p.padTop, p.padLeft, tileRows, tileColumns, first, tiles, strips, stripStep, scratch,
  );
  for (let i: usize = 0; i < 6; i++) {
    transformRow(strips + stripStep * i, inChannels, tileColumns, first, tiles, V, scratch);
    multiplyPlanes(V, M, p.panels + panelStep * i, tiles, inChannels, outPadded);
    outputRow(M, tiles * (outPadded >> 4), halves + (i << 6), scratch);
  }
  storeTiles(p, first, tiles, halves, p.bias == 0 ? bias : p.bias, scratch);
}

/** Six planes of M = V·U, tiles × inChannels times inChannels × outPadded: V [tiles][inChannels/4][6][4], M [tiles][outPadded/16][6][16]. */
function multiplyPlanes(V: usize, M: usize, panels: usize, tiles: i32, inner: i32, outPadded: i32): void {
  const row = <usize>inner * 24, outRow = <usize>outPadded * 24;
  const panelBytes = <usize>inner << 6;
  const planeStep = planeBytes(outPadded * inner);
  const pairs = tiles >> 1, odd = (tiles & 1) != 0, last = <usize>(pairs << 1);
  for (let plane = 0; plane < 6; plane++) {
    let panel = panels + planeStep * <usize>plane;
    for (let k = <usize>0; k < outRow; k += 384) {
      const m = M + k;
      patchProducts(m, outRow, panel, V, row, pairs, panelBytes);
      if (odd) patchProducts(m + outRow * last, 0, panel, V + row * last, 0, 1, panelBytes);
      panel += panelBytes;
    }
    V += 16;
    M += 64;
  }
}

/** One row of M·A, of `count` panels of 16 channels of tiles, as every sixth of [tiles][outPadded/16][4 columns][6 rows][16]. */
function outputRow(M: usize, count: i32, target: usize, scratch: usize): void {
  const four = factor4(scratch);
  for (; count > 0; count--) {
    outputValues(M, target, 384, four);
    outputValues(M + 16, target + 16, 384, four);
    outputValues(M + 32, target + 32, 384, four);
    outputValues(M + 48, target + 48, 384, four);
    M += 384;
    target += 1536;
  }
}

/** y = Aᵀ·(M·A) with the epilogue, four rows of results at a time, each front to back; results beyond the image's edge are left out. */
function storeTiles(p: WinogradConv, first: i32, tiles: i32, halves: usize, bias: usize, scratch: usize): void {
  const tileRows = (p.outHeight + 3) >> 2, tileColumns = (p.outWidth + 3) >> 2;
  const tileBytes = <usize>((p.outChannels + 15) & ~15) * 96, pixel = <usize>p.outChannels << 2;
  for (let t = 0; t < tiles; ) {
    const row = (first + t) / tileColumns, left = ((first + t) % tileColumns) << 2;
    const count = min(tileColumns - (left >> 2), tiles - t);
    const top = (row % tileRows) << 2;
    const corner = pixel * <usize>((row / tileRows * p.outHeight + top) * p.outWidth + left);
    const rows = min(4, p.outHeight - top), columns = min(4 * count, p.outWidth - left);
    if ((p.residual | p.mask) == 0) storePlainRows(p, halves, rows, columns, corner, bias, scratch);
    else storeFusedRows(p, halves, rows, columns, corner, bias, scratch);
    halves += tileBytes * <usize>count;
    t += count;
  }
}

/** {@link storeRows} of a convolution with neither residual nor mask. */
function storePlainRows(p: WinogradConv, halves: usize, rows: i32, columns: i32, corner: usize, bias: usize, scratch: usize): void {
  storeRows(p, 0, 0, halves, rows, columns, corner, bias, scratch);
}

function storeFusedRows(p: WinogradConv, halves: usize, rows: i32, columns: i32, corner: usize, bias: usize, scratch: usize): void {
  storeRows(p, p.residual, p.mask, halves, rows, columns, corner, bias, scratch);
}

/**
 * Up to four rows of `columns` results; `corner` is the byte offset of the first in y, residual and mask. A function of its own, twice: within
 * its caller, V8 would have too few registers for the loop.
 */
@inline function storeRows(
  p: WinogradConv, residual: usize, mask: usize,
  halves: usize, rows: i32, columns: i32, corner: usize, bias: usize, scratch: usize,
): void {
  const tileBytes = <usize>((p.outChannels + 15) & ~15) * 96;
  const four = factor4(scratch);
  const constants = scratch + constantPlace;
  const magnitude = v128.load32_splat(constants), normal = v128.load32_splat(constants, 4);
  const floor = activationFloor(p.relu), least = f32x4.splat(floor);
  const y = p.y;
  const pixel = <usize>p.outChannels << 2, whole = pixel & ~15, rest = p.outChannels & 3;
  const step = pixel * <usize>p.outWidth, result = scratch + resultPlace;
  for (let j = 0; j < columns; j++) {
    const column = halves + tileBytes * <usize>(j >> 2) + <usize>(j & 3) * 384;
    for (let k: usize = 0; k < whole; k += 16) {
      const source = column + (k >> 6) * 1536 + (k & 63), biases = v128.load(bias + k);
      const m1 = v128.load(source, 64), m2 = v128.load(source, 128), m3 = v128.load(source, 192), m4 = v128.load(source, 256);
      const a = f32x4.add(m1, m2), b = f32x4.sub(m1, m2), e = f32x4.add(m3, m4), f = f32x4.sub(m3, m4), twice = f32x4.add(f, f);
      let offset = corner + k;
      storeVector(f32x4.add(v128.load(source), f32x4.add(a, e)), y, residual, mask, biases, least, magnitude, normal, offset);
      if (rows < 2) continue;
      storeVector(f32x4.add(twice, b), y, residual, mask, biases, least, magnitude, normal, offset += step);
      if (rows < 3) continue;
      storeVector(madd(four, e, a), y, residual, mask, biases, least, magnitude, normal, offset += step);
      if (rows < 4) continue;
      const last = f32x4.add(madd(four, twice, b), v128.load(source, 320));
      storeVector(last, y, residual, mask, biases, least, magnitude, normal, offset + step);
    }
    if (whole < pixel) {
      outputValues(column + (whole >> 6) * 1536 + (whole & 63), result, 16, four);
      for (let i = 0; i < rows; i++) {
        const offset = corner + step * <usize>i + whole;
        storePixel(result + <usize>(i << 4), rest, y, bias + whole, residual, mask, floor, constants, offset);
      }
    }
    corner += pixel;
  }
}
