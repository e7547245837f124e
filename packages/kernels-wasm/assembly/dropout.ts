import { Dropout } from './generated/records';
import { flush4 } from './simd';

/**
 * y = x·scale where its random word is small enough, else 0. Task: elements [task·16384, …), as in elementwise.ts.
 *
 * The words are of Philox4x32-10 with one block a lane: word w of blocks 4g to 4g + 3 is for the w-th vector of 16 elements, so that
 * nothing is transposed. Every tensor is padded to 64 bytes, which are 16 elements. Traffic: each operand once.
 */
const taskElements: i32 = 16384;

/** Below the multipliers and the steps of the key. @source Salmon et al. 2011 */
const multiplier0: u32 = 0xd2511f53, multiplier1: u32 = 0xcd9e8d57;
const step0: u32 = 0x9e3779b9, step1: u32 = 0xbb67ae85;

@inline function high4(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b), 1, 3, 5, 7);
}

@inline function keep4(p: Dropout, at: usize, words: v128, below: v128, scale: v128): void {
  const scaled = flush4(f32x4.mul(v128.load(p.x + at), scale));
  v128.store(p.y + at, v128.and(scaled, i32x4.lt_u(words, below)));
}

export function dropout(p: Dropout, task: i32): void {
  const first = <usize>(task * taskElements) << 2;
  const end = <usize>min((task + 1) * taskElements, p.count) << 2;
  const m0 = i32x4.splat(multiplier0), m1 = i32x4.splat(multiplier1);
  const below = i32x4.splat(p.keptBelow), scale = f32x4.splat(p.scale);
  for (let at = first; at < end; at += 64) {
    let key0 = load<u32>(p.random), key1 = load<u32>(p.random, 4);
    let c0 = i32x4.add(i32x4.splat(<i32>(at >> 4)), i32x4(0, 1, 2, 3));
    let c1 = i32x4.splat(p.stream), c2 = i32x4.splat(load<i32>(p.random, 8)), c3 = i32x4.splat(load<i32>(p.random, 12));
    for (let round = 0; round < 10; round++) {
      const high0 = high4(c0, m0), high1 = high4(c2, m1);
      const low0 = i32x4.mul(c0, m0), low1 = i32x4.mul(c2, m1);
      c0 = v128.xor(v128.xor(high1, c1), i32x4.splat(key0));
      c1 = low1;
      c2 = v128.xor(v128.xor(high0, c3), i32x4.splat(key1));
      c3 = low0;
      key0 += step0;
      key1 += step1;
    }
    keep4(p, at, c0, below, scale);
    keep4(p, at + 16, c1, below, scale);
    keep4(p, at + 32, c2, below, scale);
    keep4(p, at + 48, c3, below, scale);
  }
}
