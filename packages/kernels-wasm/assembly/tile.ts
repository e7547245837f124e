import { epilogueConstantBytes, storeVector, writeEpilogueConstants } from './epilogue';
import { madd } from './simd';

/**
 * The two microkernels. Both keep 2 × 16 results in eight accumulators and step twice a loop, with a way out between
 * the steps. That branch is not only for odd lengths: V8 hoists all loads of a basic block above its arithmetic, and would spill
 * the accumulators of a plainly unrolled body.
 *
 * Zen 3 at about 3.2 GHz (peak 51 GFLOP/s), Node 20, K = 144: 47 GFLOP/s relaxed-simd, 39 simd; without the second
 * step 43 and 31 (2026-11-24).
 */

/**
 * Products of `pairs` pairs of rows: y[i][0..15] = Σ_k a[i][k]·panel[k][0..15]; rows lie aStep bytes apart in a, yStep in y.
 *
 * The sum runs over `segments` runs of `length` floats, each contiguous in a's rows and the panel; runs lie `segmentStep`
 * bytes apart in a's rows. Packed by packPanels. One row is a pair with both steps 0.
 */
export function rows2x16(
  y: usize, yStep: usize, panel: usize, a: usize, aStep: usize, pairs: i32, segments: i32, length: i32, segmentStep: usize,
): void {
  pairsOfRows(y, yStep, panel, 1, a, aStep, pairs, segments, length, segmentStep, 0, 0, 0, 0, 0);
}

/**
 * {@link rows2x16} for `panels` panels, pair after pair, which then go through the epilogue: to y + offset, with the operands
 * of storePixel and {@link writeTileConstants}. Results are in registers until they are stored, and y, residual and mask are walked front to back while products are made.
 */
export function storeRows2x16(
  y: usize, yStep: usize, panel: usize, panels: i32, a: usize, aStep: usize, pairs: i32, segments: i32, length: i32, segmentStep: usize,
  bias: usize, residual: usize, mask: usize, constants: usize, offset: usize,
): void {
  pairsOfRows(y, yStep, panel, panels, a, aStep, pairs, segments, length, segmentStep, bias, residual, mask, constants, offset);
}

/** The constants of {@link storeRows2x16}: those of the epilogue, and the floor of the activation. */
@inline export function writeTileConstants(at: usize, floor: f32): void {
  writeEpilogueConstants(at);
  store<f32>(at + epilogueConstantBytes, floor);
}

/** Without `constants` there is no epilogue. */
@inline function pairsOfRows(
  y: usize, yStep: usize, panel: usize, panels: i32, a: usize, aStep: usize, pairs: i32, segments: i32, length: i32, segmentStep: usize,
  bias: usize, residual: usize, mask: usize, constants: usize, offset: usize,
): void {
  const zero = f32x4.splat(0);
  const bytes = <usize>length << 6;
  for (let pair = 0; pair < pairs; pair++) {
    let w = panel;
    for (let k: usize = 0; k < <usize>panels << 6; k += 64) {
      let c00 = zero, c01 = zero, c02 = zero, c03 = zero, c10 = zero, c11 = zero, c12 = zero, c13 = zero;
      let a0 = a;
      for (let s = 0; s < segments; s++) {
        const end = w + bytes;
        let x0 = a0, x1 = a0 + aStep;
        for (;;) {
          const w0 = v128.load(w), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
          const u = v128.load32_splat(x0);
          c00 = madd(u, w0, c00);
          c01 = madd(u, w1, c01);
          c02 = madd(u, w2, c02);
          c03 = madd(u, w3, c03);
          const v = v128.load32_splat(x1);
          c10 = madd(v, w0, c10);
          c11 = madd(v, w1, c11);
          c12 = madd(v, w2, c12);
          c13 = madd(v, w3, c13);
          if (w + 64 >= end) break;
          const z0 = v128.load(w, 64), z1 = v128.load(w, 80), z2 = v128.load(w, 96), z3 = v128.load(w, 112);
          const p = v128.load32_splat(x0, 4);
          c00 = madd(p, z0, c00);
          c01 = madd(p, z1, c01);
          c02 = madd(p, z2, c02);
          c03 = madd(p, z3, c03);
          const q = v128.load32_splat(x1, 4);
          c10 = madd(q, z0, c10);
          c11 = madd(q, z1, c11);
          c12 = madd(q, z2, c12);
          c13 = madd(q, z3, c13);
          w += 128;
          x0 += 8;
          x1 += 8;
          if (w >= end) break;
        }
        w = end;
        a0 += segmentStep;
      }
      if (constants == 0) {
        v128.store(y, c00);
        v128.store(y, c01, 16);
        v128.store(y, c02, 32);
        v128.store(y, c03, 48);
        v128.store(y + yStep, c10);
        v128.store(y + yStep, c11, 16);
        v128.store(y + yStep, c12, 32);
        v128.store(y + yStep, c13, 48);
      } else if ((residual | mask) == 0) {
        storeTile(c00, c01, c02, c03, y, bias + k, 0, 0, constants, offset + k);
        storeTile(c10, c11, c12, c13, y, bias + k, 0, 0, constants, offset + yStep + k);
      } else {
        storeTile(c00, c01, c02, c03, y, bias + k, residual, mask, constants, offset + k);
        storeTile(c10, c11, c12, c13, y, bias + k, residual, mask, constants, offset + yStep + k);
      }
    }
    a += aStep << 1;
    if (constants == 0) y += yStep << 1;
    else offset += yStep << 1;
  }
}

/** The epilogue of 16 results of a pixel. */
@inline function storeTile(
  c0: v128, c1: v128, c2: v128, c3: v128, y: usize, bias: usize, residual: usize, mask: usize, constants: usize, offset: usize,
): void {
  const magnitude = v128.load32_splat(constants), normal = v128.load32_splat(constants, 4), least = v128.load32_splat(constants + epilogueConstantBytes);
  storeVector(c0, y, residual, mask, v128.load(bias), least, magnitude, normal, offset);
  storeVector(c1, y, residual, mask, v128.load(bias, 16), least, magnitude, normal, offset + 16);
  storeVector(c2, y, residual, mask, v128.load(bias, 32), least, magnitude, normal, offset + 32);
  storeVector(c3, y, residual, mask, v128.load(bias, 48), least, magnitude, normal, offset + 48);
}

/**
 * A sum of outer products: acc[0..15] = from[0..15] + Σ_p a[p][0]·b[p][0..15], and acc[16..31] the same with a[p][1].
 *
 * The positions are `rows` × `columns`; a column step moves a by aStep bytes and b by 64 (b is in panels), a row step moves
 * them by aRowStep and bRowStep.
 */
export function outer2x16(
  acc: usize, from: usize, a: usize, b: usize, rows: i32, columns: i32, aStep: usize, aRowStep: usize, bRowStep: usize,
): void {
  let c00 = v128.load(from), c01 = v128.load(from, 16), c02 = v128.load(from, 32), c03 = v128.load(from, 48);
  let c10 = v128.load(from, 64), c11 = v128.load(from, 80), c12 = v128.load(from, 96), c13 = v128.load(from, 112);
  const bytes = <usize>columns << 6;
  for (let i = 0; i < rows; i++) {
    let x = a, y = b;
    const end = b + bytes;
    for (;;) {
      const y0 = v128.load(y), y1 = v128.load(y, 16), y2 = v128.load(y, 32), y3 = v128.load(y, 48);
      const u = v128.load32_splat(x);
      c00 = madd(u, y0, c00);
      c01 = madd(u, y1, c01);
      c02 = madd(u, y2, c02);
      c03 = madd(u, y3, c03);
      const v = v128.load32_splat(x, 4);
      c10 = madd(v, y0, c10);
      c11 = madd(v, y1, c11);
      c12 = madd(v, y2, c12);
      c13 = madd(v, y3, c13);
      if (y + 64 >= end) break;
      x += aStep;
      const z0 = v128.load(y, 64), z1 = v128.load(y, 80), z2 = v128.load(y, 96), z3 = v128.load(y, 112);
      const p = v128.load32_splat(x);
      c00 = madd(p, z0, c00);
      c01 = madd(p, z1, c01);
      c02 = madd(p, z2, c02);
      c03 = madd(p, z3, c03);
      const q = v128.load32_splat(x, 4);
      c10 = madd(q, z0, c10);
      c11 = madd(q, z1, c11);
      c12 = madd(q, z2, c12);
      c13 = madd(q, z3, c13);
      y += 128;
      x += aStep;
      if (y >= end) break;
    }
    a += aRowStep;
    b += bRowStep;
  }
  v128.store(acc, c00);
  v128.store(acc, c01, 16);
  v128.store(acc, c02, 32);
  v128.store(acc, c03, 48);
  v128.store(acc, c10, 64);
  v128.store(acc, c11, 80);
  v128.store(acc, c12, 96);
  v128.store(acc, c13, 112);
}
