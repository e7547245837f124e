import { activationFloor, storePixel, storeVector, writeEpilogueConstants } from './epilogue';
import { WinogradConv, WinogradFilterTransform } from './generated/records';
import { clearFloats } from './memory';
import { madd } from './simd';
import { rows2x16 } from './tile';
import { factor2, factor4, factor8, factorBytes, stripColumns, transformRow, transformStrips, writeFactors } from './winograd-input';

/**
 * Winograd convolution F(4×4, 3×3), stride 1, channels in the vector lanes (Lavin & Gray 2016).
 *
 * y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A on tiles of 4×4 results and 6×6 inputs: 36 products instead of 144 a tile and channel pair.
 * Points 0, ±1, ±2, ∞. Layouts: filter panels [36][outChannels/16][inChannels][16]; per task V[36][tiles][inChannels],
 * M[36][tiles][outChannels padded to 16] in scratch. Backward-data is the same on flipped, transposed filters.
 * Traffic: x once and the rows that strips share, y once; the panels once a task, from the L2 or beyond it.
 *
 * One thread of an AMD EPYC (Zen 4), Node 20, relaxed-simd, batch 32, operands in the cache / in memory (2026-11-28), GFLOP/s of the
 * direct count: 16 channels at 32×32 110 / 84, 32 at 16×16 147 / 117, 64 at 8×8 174 / 137, 128 at 8×8 185 / 173.
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
 * channels change roles. Task: one panel. Scratch: 18 + 36 vectors.
 */
export function winogradFilterTransform(p: WinogradFilterTransform, task: i32, scratch: usize): void {
  const inner = p.backward != 0 ? p.outChannels : p.inChannels;
  const columns = p.backward != 0 ? p.inChannels : p.outChannels;
  const panels = (columns + 15) >> 4;
  const tapStep = <usize>(p.inChannels * p.outChannels) << 2;
  const planeStep = planeBytes(panels * inner * 16);
  const taps = scratch, half = scratch + 144, whole = half + 288;
  for (let k = 0; k < inner; k++) {
    for (let lane = 0; lane < 16; lane += 4) {
      const column = (task << 4) + lane;
      gatherTaps(p, k, column, columns, tapStep, taps);
      for (let s = 0; s < 3; s++) {
        const at = taps + (<usize>s << 4);
        filterColumn(v128.load(at), v128.load(at, 48), v128.load(at, 96), half + (<usize>s << 4), 48);
      }
      for (let i = 0; i < 6; i++) {
        const at = half + <usize>i * 48;
        filterColumn(v128.load(at), v128.load(at, 16), v128.load(at, 32), whole + <usize>i * 96, 16);
      }
      const target = p.panels + (<usize>((task * inner + k) * 16 + lane) << 2);
      for (let plane = 0; plane < planes; plane++) {
        v128.store(target + planeStep * <usize>plane, v128.load(whole + (<usize>plane << 4)));
      }
    }
  }
}

/** The nine taps of four output columns at `column`, zero beyond the last. */
function gatherTaps(p: WinogradFilterTransform, k: i32, column: i32, columns: i32, tapStep: usize, taps: usize): void {
  for (let tap = 0; tap < 9; tap++) {
    const source = p.source + tapStep * <usize>(p.backward != 0 ? 8 - tap : tap);
    for (let j = 0; j < 4; j++) {
      const c = column + j;
      const index = p.backward != 0 ? c * p.outChannels + k : k * p.outChannels + c;
      store<f32>(taps + <usize>((tap << 4) + (j << 2)), c < columns ? load<f32>(source + (<usize>index << 2)) : 0);
    }
  }
}

/** Where a task's scratch has the epilogue's constants, four vectors of results, and the bias of zeros. */
const constantPlace: usize = factorBytes, resultPlace: usize = constantPlace + 64, biasPlace: usize = resultPlace + 64;

/** Aᵀ·m for six values `from` bytes apart: four values `to` bytes apart. */
@inline function outputValues(source: usize, from: usize, target: usize, to: usize, two: v128, four: v128, eight: v128): void {
  const m1 = v128.load(source + from), m2 = v128.load(source + 2 * from);
  const m3 = v128.load(source + 3 * from), m4 = v128.load(source + 4 * from);
  const a = f32x4.add(m1, m2), b = f32x4.sub(m1, m2), e = f32x4.add(m3, m4), f = f32x4.sub(m3, m4);
  v128.store(target, f32x4.add(v128.load(source), f32x4.add(a, e)));
  v128.store(target + to, madd(two, f, b));
  v128.store(target + 2 * to, madd(four, e, a));
  v128.store(target + 3 * to, f32x4.add(madd(eight, f, b), v128.load(source + 5 * from)));
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
  const vStep = planeBytes(p.tilesPerTask * inChannels), mStep = planeBytes(p.tilesPerTask * outPadded);
  const M = V + 6 * vStep, halves = M + 6 * mStep, halfStep = planeBytes(p.tilesPerTask * 4 * outPadded);
  const panelStep = planeBytes(outPadded * inChannels) * 6;
  writeFactors(scratch);
  writeEpilogueConstants(scratch + constantPlace);
  if (p.bias == 0) clearFloats(bias, outPixel);
  transformStrips(
    p.x, p.height, p.width, inChannels, p.padTop, p.padLeft, tileRows, tileColumns, first, tiles, strips, stripStep, scratch,
  );
  for (let i: usize = 0; i < 6; i++) {
    transformRow(strips + stripStep * i, inChannels, tileColumns, first, tiles, V, pixel, vStep, 64, scratch);
    multiplyPlanes(V, vStep, M, mStep, p.panels + panelStep * i, tiles, inChannels, outPadded);
    outputRow(M, mStep, tiles, outPixel, halves + halfStep * i, scratch);
  }
  storeTiles(p, first, tiles, halves, halfStep, p.bias == 0 ? bias : p.bias, scratch);
}

/** M[plane] = V[plane]·U[plane] for six planes: tiles × inChannels times inChannels × outPadded. */
function multiplyPlanes(V: usize, vStep: usize, M: usize, mStep: usize, panels: usize, tiles: i32, inner: i32, outPadded: i32): void {
  const row = <usize>inner << 2, outRow = <usize>outPadded << 2;
  const panelBytes = <usize>inner << 6;
  const planeStep = planeBytes(outPadded * inner);
  for (let plane = 0; plane < 6; plane++) {
    let panel = panels + planeStep * <usize>plane;
    for (let k = <usize>0; k < outRow; k += 64) {
      const m = M + k, pairs = tiles >> 1;
      rows2x16(m, outRow, panel, V, row, pairs, 1, inner, 0);
      if ((tiles & 1) != 0) rows2x16(m + outRow * <usize>(pairs << 1), 0, panel, V + row * <usize>(pairs << 1), 0, 1, 1, inner, 0);
      panel += panelBytes;
    }
    V += vStep;
    M += mStep;
  }
}

/** One row of M·A: of each tile four pixels, one behind the other. */
function outputRow(M: usize, mStep: usize, tiles: i32, outPixel: usize, target: usize, scratch: usize): void {
  const two = factor2(scratch), four = factor4(scratch), eight = factor8(scratch);
  for (let t = 0; t < tiles; t++) {
    for (let k: usize = 0; k < outPixel; k += 16) outputValues(M + k, mStep, target + k, outPixel, two, four, eight);
    M += outPixel;
    target += outPixel << 2;
  }
}

/** y = Aᵀ·(M·A) with the epilogue, four rows of results at a time, each front to back; results beyond the image's edge are left out. */
function storeTiles(p: WinogradConv, first: i32, tiles: i32, halves: usize, halfStep: usize, bias: usize, scratch: usize): void {
  const tileRows = (p.outHeight + 3) >> 2, tileColumns = (p.outWidth + 3) >> 2;
  const outPixel = <usize>((p.outChannels + 15) & ~15) << 2, pixel = <usize>p.outChannels << 2;
  for (let t = 0; t < tiles; ) {
    const row = (first + t) / tileColumns, left = ((first + t) % tileColumns) << 2;
    const count = min(tileColumns - (left >> 2), tiles - t);
    const top = (row % tileRows) << 2;
    const corner = pixel * <usize>((row / tileRows * p.outHeight + top) * p.outWidth + left);
    storeRows(
      p, halves, halfStep, outPixel, min(4, p.outHeight - top), min(4 * count, p.outWidth - left), corner, bias, scratch,
    );
    halves += (outPixel << 2) * <usize>count;
    t += count;
  }
}

/** Up to four rows of `columns` results; `corner` is the byte offset of the first in y, residual and mask. */
function storeRows(
  p: WinogradConv, halves: usize, halfStep: usize, outPixel: usize, rows: i32, columns: i32, corner: usize, bias: usize, scratch: usize,
): void {
  const two = factor2(scratch), four = factor4(scratch), eight = factor8(scratch);
  const constants = scratch + constantPlace;
  const magnitude = v128.load32_splat(constants), normal = v128.load32_splat(constants, 4);
  const floor = activationFloor(p.relu), least = f32x4.splat(floor);
  const y = p.y, residual = p.residual, mask = p.mask;
  const pixel = <usize>p.outChannels << 2, whole = pixel & ~15, rest = p.outChannels & 3;
  const step = pixel * <usize>p.outWidth, result = scratch + resultPlace;
  for (let j = 0; j < columns; j++) {
    for (let k: usize = 0; k < whole; k += 16) {
      const source = halves + k, biases = v128.load(bias + k);
      const m1 = v128.load(source + halfStep), m2 = v128.load(source + 2 * halfStep);
      const m3 = v128.load(source + 3 * halfStep), m4 = v128.load(source + 4 * halfStep);
      const a = f32x4.add(m1, m2), b = f32x4.sub(m1, m2), e = f32x4.add(m3, m4), f = f32x4.sub(m3, m4);
      let offset = corner + k;
      storeVector(f32x4.add(v128.load(source), f32x4.add(a, e)), y, residual, mask, biases, least, magnitude, normal, offset);
      if (rows < 2) continue;
      storeVector(madd(two, f, b), y, residual, mask, biases, least, magnitude, normal, offset += step);
      if (rows < 3) continue;
      storeVector(madd(four, e, a), y, residual, mask, biases, least, magnitude, normal, offset += step);
      if (rows < 4) continue;
      const last = f32x4.add(madd(eight, f, b), v128.load(source + 5 * halfStep));
      storeVector(last, y, residual, mask, biases, least, magnitude, normal, offset + step);
    }
    if (whole < pixel) {
      outputValues(halves + whole, halfStep, result, 16, two, four, eight);
      for (let i = 0; i < rows; i++) {
        const offset = corner + step * <usize>i + whole;
        storePixel(result + <usize>(i << 4), rest, y, bias + whole, residual, mask, floor, constants, offset);
      }
    }
    halves += outPixel;
    corner += pixel;
  }
}
