/**
 * The microkernel of `rows2x16` for whole numbers of 16 bits: i32x4.dot_i16x8_s multiplies and adds pairs of them, eight products
 * an instruction where f32 has four, exactly and on every machine. Sums run modulo 2³². The first products need no sum, of which a short
 * loop has few.
 *
 * Zen 4, Node 20, one thread: 78 to 88 Gop/s at K = 16 to 64, where f32 has 53 to 54 (2026-11-28). V8 needs a multiplication and an
 * addition for it, and the processor takes 1.5 such pairs a cycle where it takes 2 multiplications alone.
 */

@inline function dot(a: v128, b: v128, c: v128): v128 {
  return i32x4.add(c, i32x4.dot_i16x8_s(a, b));
}

/**
 * y[i][0..15] = Σ_k a[i][k]·panel[k][0..15] for `pairs` pairs of rows, aStep bytes apart in a, yStep in y. A panel has two k beside
 * each other: [steps][16][2]. The sum runs over `segments` runs of `steps` pairs, each contiguous in a's rows, `segmentStep` bytes
 * apart; there is at least one of each. One row is a pair with both steps 0.
 */
export function rows2x16i16(
  y: usize, yStep: usize, panel: usize, a: usize, aStep: usize, pairs: i32, segments: i32, steps: i32, segmentStep: usize,
): void {
  const bytes = <usize>steps << 6, gap = segmentStep - (<usize>steps << 2), last = panel + bytes * <usize>segments;
  for (let pair = 0; pair < pairs; pair++) {
    let x0 = a, x1 = a + aStep, w = panel, end = panel + bytes;
    let w0 = v128.load(w), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
    let u = v128.load32_splat(x0), v = v128.load32_splat(x1);
    let c00 = i32x4.dot_i16x8_s(u, w0), c01 = i32x4.dot_i16x8_s(u, w1), c02 = i32x4.dot_i16x8_s(u, w2), c03 = i32x4.dot_i16x8_s(u, w3);
    let c10 = i32x4.dot_i16x8_s(v, w0), c11 = i32x4.dot_i16x8_s(v, w1), c12 = i32x4.dot_i16x8_s(v, w2), c13 = i32x4.dot_i16x8_s(v, w3);
    w += 64;
    for (;;) {
      while (w < end) {
        x0 += 4;
        x1 += 4;
        w0 = v128.load(w), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
        u = v128.load32_splat(x0);
        c00 = dot(u, w0, c00);
        c01 = dot(u, w1, c01);
        c02 = dot(u, w2, c02);
        c03 = dot(u, w3, c03);
        v = v128.load32_splat(x1);
        c10 = dot(v, w0, c10);
        c11 = dot(v, w1, c11);
        c12 = dot(v, w2, c12);
        c13 = dot(v, w3, c13);
        w += 64;
      }
      if (end == last) break;
      end += bytes;
      x0 += gap;
      x1 += gap;
    }
    const second = y + yStep;
    v128.store(y, c00);
    v128.store(y, c01, 16);
    v128.store(y, c02, 32);
    v128.store(y, c03, 48);
    v128.store(second, c10);
    v128.store(second, c11, 16);
    v128.store(second, c12, 32);
    v128.store(second, c13, 48);
    a += aStep << 1;
    y = second + yStep;
  }
}
