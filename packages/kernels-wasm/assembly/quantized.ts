import { Dequantize, Quantize } from './generated/records';

/** Elements of one task. */
const elements: i32 = 16384;

/** y = round(x·multiplier) within ±127; tasks of 16,384 elements, whole vectors of bytes. */
export function quantize(p: Quantize, task: i32): void {
  const first = task * elements, end = min(first + elements, p.count);
  const multiplier = f32x4.splat(p.multiplier), least = f32x4.splat(-127), most = f32x4.splat(127);
  const magic = f32x4.splat(12582912), bits = i32x4.splat(0x4b400000);
  for (let i = first; i < end; i += 16) {
    const x = p.x + (<usize>i << 2);
    const a = byte4(v128.load(x), multiplier, least, most, magic, bits);
    const b = byte4(v128.load(x, 16), multiplier, least, most, magic, bits);
    const c = byte4(v128.load(x, 32), multiplier, least, most, magic, bits);
    const d = byte4(v128.load(x, 48), multiplier, least, most, magic, bits);
    v128.store(p.y + <usize>i, i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
  }
}

@inline function byte4(x: v128, multiplier: v128, least: v128, most: v128, magic: v128, bits: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.pmin(f32x4.pmax(least, f32x4.mul(x, multiplier)), most), magic), bits);
}

/** y = x·scale; tasks of 16,384 elements, whole vectors of bytes. */
export function dequantize(p: Dequantize, task: i32): void {
  const first = task * elements, end = min(first + elements, p.count);
  const scale = f32x4.splat(p.scale);
  for (let i = first; i < end; i += 4) {
    const x = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(p.x + <usize>i)));
    v128.store(p.y + (<usize>i << 2), f32x4.mul(f32x4.convert_i32x4_s(x), scale));
  }
}
