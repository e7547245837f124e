import { QuantizedWinogradConv } from './generated/records';
import { transformTiles } from './quantized-winograd-input';
import { requantize, writeRequantizeConstants } from './requantize';
import { rows2x16i16 } from './tile-i16';

/**
 * Winograd F(4×4, 3×3) in whole numbers: quantizedConv2d of a 3×3 window at stride 1, exactly the sums of the direct way.
 *
 * As in winograd.ts, y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, with 24·G in place of G, whose rows are whole, and which makes 576·y; the last
 * row is 6·G's, and the last column of Aᵀ 4 times its own, so that the transformed filter stays within 16 bits: 144·128. So
 * does Bᵀ d B: 100·128. Products are summed modulo 2³². Since 576 = 9·2⁶, multiplying by the inverse of 9 modulo 2³² leaves y·2⁶
 * modulo 2³², which is y·2⁶ itself if |y| < 2²⁵: whoever chooses this kernel keeps 9·inChannels·128·128 below that.
 *
 * inChannels are a multiple of 8. Filter panels [36][outChannels/16][inChannels/2][16][2] of 16 bits; per task
 * V[36][tiles][inChannels] of 16 bits and M[tiles][outChannels/16][36][16] of 32 in scratch.
 */

export const planes: i32 = 36;
/** Of M, for a tile and 16 output channels. */
const resultBytes: usize = 2304;
/** 9·inverseOf9 = 1 modulo 2³². */
const inverseOf9: i32 = 954437177;

/** Bytes between planes: 64 more than the data, so that 36 planes do not fall into one cache set. */
@inline export function planeBytes(bytes: i32): usize {
  return <usize>bytes + 64;
}

/** Where a task's scratch has its parts, behind the constants: a column of vectors, a tile's sums, the strip, V, M and multipliers. */
const inverseAt: usize = 16;
const halfAt: usize = 64;
const sumsAt: usize = 448;
const stripAt: usize = 1472;

/**
 * Task: `tilesPerTask` tiles of 4×4 results, counted over batch, rows and columns of tiles.
 */
export function quantizedWinogradConv(p: QuantizedWinogradConv, task: i32, scratch: usize): void {
  const inChannels = p.inChannels, outPadded = (p.outChannels + 15) & ~15;
  const tileRows = (p.outHeight + 3) >> 2, tileColumns = (p.outWidth + 3) >> 2;
  const first = task * p.tilesPerTask;
  const tiles = min(p.tilesPerTask, p.batch * tileRows * tileColumns - first);
  const strip = scratch + stripAt, V = strip + <usize>(13 * inChannels * (4 * min(p.tilesPerTask, tileColumns) + 2));
  const vStep = planeBytes(p.tilesPerTask * inChannels * 2), tileBytes = <usize>(outPadded * 4) * planes;
  const M = V + vStep * planes, multipliers = M + tileBytes * <usize>p.tilesPerTask;
  writeRequantizeConstants(scratch, p.relu, p.residualMultiplier);
  store<i32>(scratch, inverseOf9, inverseAt);
  // Sums are 2⁶ times too large, and so are they rounded to f32: their products with a 2⁶th of the multipliers have the same bits.
  for (let k: usize = 0; k < <usize>p.outChannels << 2; k += 4) store<f32>(multipliers + k, load<f32>(p.multiplier + k) * <f32>(1.0 / 64.0));
  transformTiles(p.x, p.height, p.width, inChannels, p.padTop, p.padLeft, tileRows, tileColumns, first, tiles, V, vStep, strip);
  multiplyPlanes(V, vStep, M, tileBytes, p.panels, tiles, inChannels, outPadded);
  for (let t = 0; t < tiles; t++) storeTile(p, first + t, M + tileBytes * <usize>t, multipliers, scratch);
}

/** M[…][plane] = V[plane]·U[plane] for all 36 planes: tiles × inChannels times inChannels × outPadded; tiles of M are `tileBytes` apart. */
function multiplyPlanes(V: usize, vStep: usize, M: usize, tileBytes: usize, panels: usize, tiles: i32, inner: i32, outPadded: i32): void {
  const row = <usize>inner << 1, panelBytes = <usize>inner << 5, planeStep = planeBytes(outPadded * inner * 2);
  const pairs = tiles >> 1, odd = (tiles & 1) != 0, last = <usize>(pairs << 1), steps = inner >> 1;
  for (let plane = 0; plane < planes; plane++) {
    let panel = panels + planeStep * <usize>plane, m = M;
    for (const end = M + tileBytes; m < end; m += resultBytes) {
      rows2x16i16(m, tileBytes, panel, V, row, pairs, 1, steps, 0);
      if (odd) rows2x16i16(m + tileBytes * last, 0, panel, V + row * last, 0, 1, 1, steps, 0);
      panel += panelBytes;
    }
    V += vStep;
    M += 64;
  }
}

/** Aᵀ·m for a column of six planes, the last of them four times: four vectors of `half`. */
@inline function outputColumn(source: usize, target: usize): void {
  const m0 = v128.load(source), m1 = v128.load(source, 384), m2 = v128.load(source, 768);
  const m3 = v128.load(source, 1152), m4 = v128.load(source, 1536), m5 = v128.load(source, 1920);
  const a = i32x4.add(m1, m2), b = i32x4.sub(m1, m2), e = i32x4.add(m3, m4), f = i32x4.sub(m3, m4), twice = i32x4.add(f, f);
  v128.store(target, i32x4.add(m0, i32x4.add(a, e)));
  v128.store(target, i32x4.add(b, twice), 96);
  v128.store(target, i32x4.add(a, i32x4.shl(e, 2)), 192);
  v128.store(target, i32x4.add(b, i32x4.shl(i32x4.add(twice, m5), 2)), 288);
}

/** Aᵀ·m for six neighbours, times the inverse of 9: 2⁶ times the sums of four pixels. */
@inline function outputSums(source: usize, target: usize, inverse: v128): void {
  const m1 = v128.load(source, 16), m2 = v128.load(source, 32), m3 = v128.load(source, 48), m4 = v128.load(source, 64);
  const a = i32x4.add(m1, m2), b = i32x4.sub(m1, m2), e = i32x4.add(m3, m4), f = i32x4.sub(m3, m4), twice = i32x4.add(f, f);
  v128.store(target, i32x4.mul(i32x4.add(v128.load(source), i32x4.add(a, e)), inverse));
  v128.store(target, i32x4.mul(i32x4.add(b, twice), inverse), 64);
  v128.store(target, i32x4.mul(i32x4.add(a, i32x4.shl(e, 2)), inverse), 128);
  v128.store(target, i32x4.mul(i32x4.add(b, i32x4.shl(i32x4.add(twice, v128.load(source, 80)), 2)), inverse), 192);
}

/** y = Aᵀ m A of one tile, requantized; results beyond the image's edge are left out. */
function storeTile(p: QuantizedWinogradConv, tile: i32, M: usize, multipliers: usize, scratch: usize): void {
  const inverse = v128.load32_splat(scratch, inverseAt), half = scratch + halfAt, sums = scratch + sumsAt;
  const tileRows = (p.outHeight + 3) >> 2, tileColumns = (p.outWidth + 3) >> 2;
  const n = tile / (tileRows * tileColumns), inImage = tile % (tileRows * tileColumns);
  const top = (inImage / tileColumns) << 2, left = (inImage % tileColumns) << 2;
  const rows = min(4, p.outHeight - top), columns = min(4, p.outWidth - left);
  const pixel = <usize>p.outChannels, rowStep = pixel * <usize>p.outWidth;
  const corner = pixel * <usize>((n * p.outHeight + top) * p.outWidth + left);
  for (let k = 0; k < p.outChannels; k += 16) {
    // Four channels at a time; half is [4][6] vectors.
    for (let lane: usize = 0; lane < 64; lane += 16) {
      for (let j: usize = 0; j < 6; j++) outputColumn(M + lane + (j << 6), half + (j << 4));
      for (let i: usize = 0; i < 4; i++) outputSums(half + 96 * i, sums + lane + (i << 8), inverse);
    }
    const at = <usize>k << 2, offset = corner + <usize>k;
    requantize(
      sums, 256, rows, columns, min(16, p.outChannels - k), multipliers + at, p.bias + at,
      p.y + offset, p.residual == 0 ? 0 : p.residual + offset, rowStep, pixel, scratch,
    );
    M += resultBytes;
  }
}
