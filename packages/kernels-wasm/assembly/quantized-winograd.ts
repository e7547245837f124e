import { QuantizedWinogradConv, QuantizedWinogradFilter } from './generated/records';
import { narrow16, rescale4, round4, widen4, writeRequantizeConstants } from './quantized';
import { rows2x16i16 } from './tile-i16';

/**
 * Winograd F(4×4, 3×3) in whole numbers: quantizedConv2d of a 3×3 window at stride 1, exactly the sums of the direct way.
 *
 * As in winograd.ts, y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, with 24·G in place of G, whose rows are whole, and which makes 576·y; the last
 * row is 6·G's, and the last column of Aᵀ 4 times its own, so that the transformed filter stays within 16 bits: 144·128. So
 * does Bᵀ d B: 100·128. Products are summed modulo 2³². Since 576 = 9·2⁶, multiplying by the inverse of 9 modulo 2³² leaves y·2⁶
 * modulo 2³², and a shift gives y, if |y| < 2²⁵: whoever chooses this kernel keeps 9·inChannels·128·128 below that.
 *
 * inChannels are a multiple of 8, outChannels of 4. Filter panels [36][outChannels/16][inChannels/2][16][2] of 16 bits; per task
 * V[36][tiles][inChannels] of 16 bits and M[36][tiles][outChannels padded to 16] of 32 in scratch.
 */

const planes: i32 = 36;
/** 9·inverseOf9 = 1 modulo 2³². */
const inverseOf9: i32 = 954437177;

/** Bytes between planes: 64 more than the data, so that 36 planes do not fall into one cache set. */
@inline function planeBytes(bytes: i32): usize {
  return <usize>bytes + 64;
}

/** 24·G·g for one column of three taps, the last row 6·G·g. Eight output channels in the lanes. */
@inline function filterColumn(g0: v128, g1: v128, g2: v128, target: usize, step: usize): void {
  const outer = i16x8.shl(i16x8.add(g0, g2), 2), middle = i16x8.shl(g1, 2);
  const even = i16x8.add(g0, i16x8.shl(g2, 2)), odd = i16x8.shl(g1, 1);
  v128.store(target, i16x8.add(i16x8.shl(g0, 2), i16x8.shl(g0, 1)));
  v128.store(target + step, i16x8.neg(i16x8.add(outer, middle)));
  v128.store(target + 2 * step, i16x8.sub(middle, outer));
  v128.store(target + 3 * step, i16x8.add(even, odd));
  v128.store(target + 4 * step, i16x8.sub(even, odd));
  v128.store(target + 5 * step, i16x8.add(i16x8.shl(g2, 2), i16x8.shl(g2, 1)));
}

/** U of one input channel and eight output channels: 36 vectors at `whole`. */
function transformTaps(source: usize, tapStep: usize, columns: i32, half: usize, whole: usize): void {
  for (let s: usize = 0; s < 3; s++) {
    const at = source + tapStep * s;
    const g0 = taps8(at, columns), g1 = taps8(at + 3 * tapStep, columns), g2 = taps8(at + 6 * tapStep, columns);
    filterColumn(g0, g1, g2, half + (s << 4), 48);
  }
  for (let i: usize = 0; i < 6; i++) {
    const at = half + i * 48;
    filterColumn(v128.load(at), v128.load(at, 16), v128.load(at, 32), whole + i * 96, 16);
  }
}

/** Eight bytes widened, or the four that there are. */
@inline function taps8(source: usize, columns: i32): v128 {
  if (columns >= 8) return v128.load8x8_s(source);
  return columns > 0 ? i16x8.extend_low_i8x16_s(v128.load32_zero(source)) : i32x4.splat(0);
}

/** U for one panel of 16 output channels. Task: one panel. Scratch: 18 + 2·36 vectors. */
export function quantizedWinogradFilter(p: QuantizedWinogradFilter, task: i32, scratch: usize): void {
  const panels = (p.outChannels + 15) >> 4;
  const tapStep = <usize>(p.inChannels * p.outChannels);
  const planeStep = planeBytes(panels * p.inChannels * 32);
  const half = scratch, first = half + 288, second = first + 576;
  for (let c = 0; c < p.inChannels; c += 2) {
    for (let lane = 0; lane < 16; lane += 8) {
      const k = (task << 4) + lane, columns = p.outChannels - k;
      const source = p.source + <usize>(c * p.outChannels + k);
      transformTaps(source, tapStep, columns, half, first);
      transformTaps(source + <usize>p.outChannels, tapStep, columns, half, second);
      const target = p.panels + (<usize>((task * p.inChannels + c) * 16 + lane * 2) << 1);
      for (let plane = 0; plane < planes; plane++) {
        const a = v128.load(first + (<usize>plane << 4)), b = v128.load(second + (<usize>plane << 4));
        const at = target + planeStep * <usize>plane;
        v128.store(at, i8x16.shuffle(a, b, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23));
        v128.store(at, i8x16.shuffle(a, b, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31), 16);
      }
    }
  }
}

/** Bᵀ·d for six vectors of 16 bits; stores six vectors `to` bytes apart. */
@inline function inputColumn(d0: v128, d1: v128, d2: v128, d3: v128, d4: v128, d5: v128, target: usize, to: usize): void {
  const c = i16x8.sub(d4, d2), e = i16x8.sub(d3, d1);
  v128.store(target, i16x8.add(i16x8.shl(i16x8.sub(d0, d2), 2), c));
  const a = i16x8.sub(d4, i16x8.shl(d2, 2)), b = i16x8.sub(d3, i16x8.shl(d1, 2));
  v128.store(target + to, i16x8.add(a, b));
  v128.store(target + 2 * to, i16x8.sub(a, b));
  const twice = i16x8.shl(e, 1);
  v128.store(target + 3 * to, i16x8.add(c, twice));
  v128.store(target + 4 * to, i16x8.sub(c, twice));
  v128.store(target + 5 * to, i16x8.sub(i16x8.sub(d5, d3), i16x8.shl(e, 2)));
}

/** V = Bᵀ d B of one 6×6 patch of bytes, all channels. Scratch: 36 vectors. */
function transformInput(patch: usize, rowBytes: usize, channels: i32, target: usize, planeStep: usize, scratch: usize): void {
  for (let c: usize = 0; c < <usize>channels; c += 8) {
    for (let j: usize = 0; j < 6; j++) {
      let at = patch + c + <usize>channels * j;
      const d0 = v128.load8x8_s(at);
      at += rowBytes;
      const d1 = v128.load8x8_s(at);
      at += rowBytes;
      const d2 = v128.load8x8_s(at);
      at += rowBytes;
      const d3 = v128.load8x8_s(at);
      at += rowBytes;
      const d4 = v128.load8x8_s(at);
      inputColumn(d0, d1, d2, d3, d4, v128.load8x8_s(at + rowBytes), scratch + (j << 4), 96);
    }
    for (let i: usize = 0; i < 6; i++) {
      const at = scratch + 96 * i;
      inputColumn(
        v128.load(at), v128.load(at, 16), v128.load(at, 32), v128.load(at, 48), v128.load(at, 64), v128.load(at, 80),
        target + (c << 1) + planeStep * 6 * i, planeStep,
      );
    }
  }
}

/** Rows [top, top + 6) and columns [left, left + 6) of an image of bytes, with zeros beyond its edges. */
function copyPatch(target: usize, image: usize, height: i32, width: i32, channels: i32, top: i32, left: i32): void {
  const first = max(left, 0), last = max(first, min(left + 6, width));
  const before = <usize>((first - left) * channels), inside = <usize>((last - first) * channels), row = <usize>(6 * channels);
  for (let r = 0; r < 6; r++) {
    const i = top + r;
    // Channels come in multiples of 8.
    for (let at: usize = 0; at < row; at += 8) store<i64>(target + at, 0);
    if (i >= 0 && i < height) {
      const source = image + <usize>((i * width + first) * channels);
      for (let at: usize = 0; at < inside; at += 8) store<i64>(target + before + at, load<i64>(source + at));
    }
    target += row;
  }
}

/** Where a task's scratch has its parts: temporary vectors, constants, the patch, V and M. */
const constantsAt: usize = 1024;
const patchAt: usize = 1088;

/**
 * Task: `tilesPerTask` tiles of 4×4 results, counted over batch, rows and columns of tiles.
 */
export function quantizedWinogradConv(p: QuantizedWinogradConv, task: i32, scratch: usize): void {
  const inChannels = p.inChannels, outPadded = (p.outChannels + 15) & ~15;
  const tileColumns = (p.outWidth + 3) >> 2;
  const tilesPerImage = ((p.outHeight + 3) >> 2) * tileColumns;
  const first = task * p.tilesPerTask;
  const tiles = min(p.tilesPerTask, p.batch * tilesPerImage - first);
  const patch = scratch + patchAt, V = patch + ((<usize>(36 * inChannels) + 63) & ~63);
  const vStep = planeBytes(p.tilesPerTask * inChannels * 2), mStep = planeBytes(p.tilesPerTask * outPadded * 4);
  const M = V + vStep * planes;
  writeRequantizeConstants(scratch + constantsAt, p.relu, p.residualMultiplier);
  store<i32>(scratch + constantsAt, inverseOf9, 20);

  for (let t = 0; t < tiles; t++) {
    const n = (first + t) / tilesPerImage, inImage = (first + t) % tilesPerImage;
    const top = ((inImage / tileColumns) << 2) - p.padTop, left = ((inImage % tileColumns) << 2) - p.padLeft;
    const image = p.x + <usize>(n * p.height * p.width * inChannels);
    const target = V + <usize>(t * inChannels * 2);
    if (top >= 0 && left >= 0 && top + 6 <= p.height && left + 6 <= p.width) {
      transformInput(image + <usize>((top * p.width + left) * inChannels), <usize>(p.width * inChannels), inChannels, target, vStep, scratch);
    } else {
      copyPatch(patch, image, p.height, p.width, inChannels, top, left);
      transformInput(patch, <usize>(6 * inChannels), inChannels, target, vStep, scratch);
    }
  }
  multiplyPlanes(V, vStep, M, mStep, p.panels, tiles, inChannels, outPadded);
  for (let t = 0; t < tiles; t++) storeTile(p, first + t, M + <usize>(t * outPadded * 4), mStep, scratch);
}

/** M[plane] = V[plane]·U[plane] for all 36 planes: tiles × inChannels times inChannels × outPadded. */
function multiplyPlanes(V: usize, vStep: usize, M: usize, mStep: usize, panels: usize, tiles: i32, inner: i32, outPadded: i32): void {
  const row = <usize>inner << 1, outRow = <usize>outPadded << 2;
  const panelBytes = <usize>inner << 5, planeStep = planeBytes(outPadded * inner * 2);
  const pairs = tiles >> 1, steps = inner >> 1;
  for (let plane = 0; plane < planes; plane++) {
    let panel = panels + planeStep * <usize>plane;
    for (let k: usize = 0; k < outRow; k += 64) {
      const m = M + k;
      rows2x16i16(m, outRow, panel, V, row, pairs, 1, steps, 0);
      if ((tiles & 1) != 0) rows2x16i16(m + outRow * <usize>(pairs << 1), 0, panel, V + row * <usize>(pairs << 1), 0, 1, 1, steps, 0);
      panel += panelBytes;
    }
    V += vStep;
    M += mStep;
  }
}

/** Aᵀ·m for six values `from` bytes apart, the last of them four times: four values `to` bytes apart. */
@inline function outputColumn(source: usize, from: usize, target: usize, to: usize): void {
  const m0 = v128.load(source), m1 = v128.load(source + from), m2 = v128.load(source + 2 * from);
  const m3 = v128.load(source + 3 * from), m4 = v128.load(source + 4 * from), m5 = v128.load(source + 5 * from);
  const a = i32x4.add(m1, m2), b = i32x4.sub(m1, m2), e = i32x4.add(m3, m4), f = i32x4.sub(m3, m4);
  v128.store(target, i32x4.add(m0, i32x4.add(a, e)));
  v128.store(target + to, i32x4.add(b, i32x4.shl(f, 1)));
  v128.store(target + 2 * to, i32x4.add(a, i32x4.shl(e, 2)));
  v128.store(target + 3 * to, i32x4.add(b, i32x4.shl(i32x4.add(i32x4.shl(f, 1), m5), 2)));
}

/** y from 576·y modulo 2³², times its multiplier, plus its bias. */
@inline function unscaled(sum: v128, inverse: v128, multipliers: v128, biases: v128): v128 {
  return rescale4(i32x4.shr_s(i32x4.mul(sum, inverse), 6), multipliers, biases);
}

/** y = Aᵀ m A of one tile, requantized; results beyond the image's edge are left out. */
function storeTile(p: QuantizedWinogradConv, tile: i32, M: usize, mStep: usize, scratch: usize): void {
  const constants = scratch + constantsAt;
  const inverse = v128.load32_splat(constants, 20);
  const tileRows = (p.outHeight + 3) >> 2, tileColumns = (p.outWidth + 3) >> 2;
  const n = tile / (tileRows * tileColumns), inImage = tile % (tileRows * tileColumns);
  const top = (inImage / tileColumns) << 2, left = (inImage % tileColumns) << 2;
  const rows = min(4, p.outHeight - top), columns = min(4, p.outWidth - left);
  const pixel = <usize>p.outChannels, rowStep = pixel * <usize>p.outWidth;
  const corner = pixel * <usize>((n * p.outHeight + top) * p.outWidth + left);
  const planeRow = mStep * 6;
  const residual = p.residual;
  // Four channels at a time; half is [4][6] vectors.
  for (let k = 0; k < p.outChannels; k += 4) {
    const at = <usize>k << 2;
    for (let j: usize = 0; j < 6; j++) outputColumn(M + at + mStep * j, planeRow, scratch + (j << 4), 96);
    const multipliers = v128.load(p.multiplier + at), biases = v128.load(p.bias + at);
    let offset = corner + <usize>k, source = scratch;
    for (let i = 0; i < rows; i++) {
      const m1 = v128.load(source, 16), m2 = v128.load(source, 32), m3 = v128.load(source, 48), m4 = v128.load(source, 64);
      const a = i32x4.add(m1, m2), b = i32x4.sub(m1, m2), e = i32x4.add(m3, m4), f = i32x4.sub(m3, m4);
      let v0 = unscaled(i32x4.add(v128.load(source), i32x4.add(a, e)), inverse, multipliers, biases);
      let v1 = unscaled(i32x4.add(b, i32x4.shl(f, 1)), inverse, multipliers, biases);
      let v2 = unscaled(i32x4.add(a, i32x4.shl(e, 2)), inverse, multipliers, biases);
      const last = i32x4.add(b, i32x4.shl(i32x4.add(i32x4.shl(f, 1), v128.load(source, 80)), 2));
      let v3 = unscaled(last, inverse, multipliers, biases);
      if (residual != 0) {
        const factor = v128.load32_splat(constants, 16);
        const bytes = loadPixels(residual + offset, pixel, columns);
        v0 = f32x4.add(v0, f32x4.mul(f32x4.convert_i32x4_s(widen4(bytes, 0)), factor));
        v1 = f32x4.add(v1, f32x4.mul(f32x4.convert_i32x4_s(widen4(bytes, 1)), factor));
        v2 = f32x4.add(v2, f32x4.mul(f32x4.convert_i32x4_s(widen4(bytes, 2)), factor));
        v3 = f32x4.add(v3, f32x4.mul(f32x4.convert_i32x4_s(widen4(bytes, 3)), factor));
      }
      const bytes = narrow16(round4(v0, constants), round4(v1, constants), round4(v2, constants), round4(v3, constants));
      storePixels(p.y + offset, pixel, columns, bytes);
      offset += rowStep;
      source += 96;
    }
  }
}

/** Four bytes each of up to four pixels. */
@inline function loadPixels(source: usize, pixel: usize, columns: i32): v128 {
  let bytes = v128.load32_zero(source);
  if (columns > 1) bytes = v128.load32_lane(source + pixel, bytes, 1);
  if (columns > 2) bytes = v128.load32_lane(source + 2 * pixel, bytes, 2);
  if (columns > 3) bytes = v128.load32_lane(source + 3 * pixel, bytes, 3);
  return bytes;
}

@inline function storePixels(target: usize, pixel: usize, columns: i32, bytes: v128): void {
  v128.store32_lane(target, bytes, 0);
  if (columns > 1) v128.store32_lane(target + pixel, bytes, 1);
  if (columns > 2) v128.store32_lane(target + 2 * pixel, bytes, 2);
  if (columns > 3) v128.store32_lane(target + 3 * pixel, bytes, 3);
}
