import { QuantizedWinogradFilter } from './generated/records';
import { planeBytes, planes } from './quantized-winograd';

/** U = (24·G) g (24·G)ᵀ for quantizedWinogradConv, the last row of 24·G a quarter of its own. */

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

/** Eight bytes widened, or as many as there are. */
function taps8(source: usize, columns: i32): v128 {
  if (columns >= 8) return v128.load8x8_s(source);
  let bytes: i64 = 0;
  for (let j = 0; j < columns; j++) bytes |= <i64>load<u8>(source + <usize>j) << (j << 3);
  return i16x8.extend_low_i8x16_s(i64x2.splat(bytes));
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
