/**
 * The microkernel of `rows2x16` for whole numbers of 16 bits: i32x4.dot_i16x8_s multiplies and adds pairs of them, eight products
 * an instruction where f32 has four, exactly and on every machine. Sums run modulo 2³².
 *
 * Zen 4, Node 20, one thread: 66 to 75 Gop/s at K = 16 to 128, where f32 has 44 to 53, and
 * i32x4.relaxed_dot_i8x16_i7x16_add_s 82 to 87 (2026-11-28; docs/decisions/0008).
 */

@inline function dot(a: v128, b: v128, c: v128): v128 {
  return i32x4.add(c, i32x4.dot_i16x8_s(a, b));
}

/**
 * y[i][0..15] = Σ_k a[i][k]·panel[k][0..15] for `pairs` pairs of rows, aStep bytes apart in a, yStep in y. A panel has two k beside
 * each other: [steps][16][2]. The sum runs over `segments` runs of `steps` pairs, each contiguous in a's rows, `segmentStep` bytes
 * apart. One row is a pair with both steps 0.
 */
export function rows2x16i16(
  y: usize, yStep: usize, panel: usize, a: usize, aStep: usize, pairs: i32, segments: i32, steps: i32, segmentStep: usize,
): void {
  const zero = i32x4.splat(0);
  const bytes = <usize>steps << 6;
  for (let pair = 0; pair < pairs; pair++) {
    let c00 = zero, c01 = zero, c02 = zero, c03 = zero, c10 = zero, c11 = zero, c12 = zero, c13 = zero;
    let w = panel, a0 = a;
    for (let s = 0; s < segments; s++) {
      const end = w + bytes;
      let x0 = a0, x1 = a0 + aStep;
      for (;;) {
        const w0 = v128.load(w), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
        const u = v128.load32_splat(x0);
        c00 = dot(u, w0, c00);
        c01 = dot(u, w1, c01);
        c02 = dot(u, w2, c02);
        c03 = dot(u, w3, c03);
        const v = v128.load32_splat(x1);
        c10 = dot(v, w0, c10);
        c11 = dot(v, w1, c11);
        c12 = dot(v, w2, c12);
        c13 = dot(v, w3, c13);
        w += 64;
        if (w >= end) break;
        x0 += 4;
        x1 += 4;
      }
      a0 += segmentStep;
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
