import { Dequantize, Quantize } from './generated/records';

/** Elements of one task. */
const elements: i32 = 16384;

/**
 * What {@link requantize4} needs besides its operands: V8 rebuilds a splat constant at every use, and keeps in a register what
 * it has loaded from memory. 24 bytes.
 */
@inline export function writeRequantizeConstants(at: usize, relu: i32, residualMultiplier: f32): void {
  store<f32>(at, relu != 0 ? 0 : -127);
  store<f32>(at, 127, 4);
  // 1.5·2²³: in a sum with it, what is left of a smaller number is whole, and rounded half to even.
  store<f32>(at, 12582912, 8);
  store<i32>(at, 0x4b400000, 12);
  store<f32>(at, residualMultiplier, 16);
}

/** max(least, min(127, round(value))) as four whole numbers; a NaN becomes the least. */
@inline export function round4(value: v128, constants: usize): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(v128.load32_splat(constants), value), v128.load32_splat(constants, 4));
  return i32x4.sub(f32x4.add(clamped, v128.load32_splat(constants, 8)), v128.load32_splat(constants, 12));
}

/** sum·multiplier + bias. */
@inline export function rescale4(sum: v128, multipliers: v128, biases: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sum), multipliers), biases);
}

/** Sixteen bytes from four vectors of whole numbers within eight bits. */
@inline export function narrow16(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}

/** Four whole numbers from the bytes 4·part to 4·part + 3. */
@inline export function widen4(bytes: v128, part: i32): v128 {
  const half = part < 2 ? i16x8.extend_low_i8x16_s(bytes) : i16x8.extend_high_i8x16_s(bytes);
  return (part & 1) == 0 ? i32x4.extend_low_i16x8_s(half) : i32x4.extend_high_i16x8_s(half);
}

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
    v128.store(p.y + <usize>i, narrow16(a, b, c, d));
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
