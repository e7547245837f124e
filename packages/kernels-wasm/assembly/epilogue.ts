import { flush } from './simd';

/** The least value an activation lets through: 0 for relu, else −∞. */
@inline export function activationFloor(relu: i32): f32 {
  return relu != 0 ? 0 : -Infinity;
}

/** Bytes of {@link writeEpilogueConstants}. */
export const epilogueConstantBytes: usize = 8;

/**
 * What {@link storeVector} needs besides its operands. V8 rebuilds a splat constant at every use, and keeps in a register
 * what it has loaded from memory.
 */
@inline export function writeEpilogueConstants(at: usize): void {
  store<i32>(at, 0x7fffffff);
  store<f32>(at, f32.MIN_NORMAL_VALUE, 4);
}

/** flush4 with the constants of {@link writeEpilogueConstants} in registers. */
@inline export function flushBy(v: v128, magnitude: v128, normal: v128): v128 {
  return v128.andnot(v, f32x4.lt(v128.and(v, magnitude), normal));
}

/**
 * One vector of {@link storePixel}: `biases` and `least` hold the bias and the floor of its four channels, `magnitude` and
 * `normal` the constants of {@link writeEpilogueConstants}.
 */
@inline export function storeVector(
  sum: v128, y: usize, residual: usize, mask: usize, biases: v128, least: v128, magnitude: v128, normal: v128, offset: usize,
): void {
  let value = f32x4.add(sum, biases);
  if (residual != 0) value = f32x4.add(value, v128.load(residual + offset));
  if (mask != 0) value = v128.and(value, f32x4.gt(v128.load(mask + offset), f32x4.splat(0)));
  value = f32x4.pmax(value, least);
  v128.store(y + offset, flushBy(value, magnitude, normal));
}

/**
 * Stores up to 16 channels of one pixel: y = max(tile + bias + residual, floor), or (tile + residual)·[mask > 0].
 * `bias` points at zeros where there is none; residual and mask are 0 where absent. `offset` is the byte offset of the
 * first channel in y, residual and mask. A NaN passes through.
 */
export function storePixel(
  tile: usize, channels: i32, y: usize, bias: usize, residual: usize, mask: usize, floor: f32, constants: usize, offset: usize,
): void {
  const bytes = <usize>channels << 2, least = f32x4.splat(floor);
  const magnitude = v128.load32_splat(constants), normal = v128.load32_splat(constants, 4);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    storeVector(v128.load(tile + at), y, residual, mask, v128.load(bias + at), least, magnitude, normal, offset + at);
  }
  for (; at < bytes; at += 4) {
    let value = load<f32>(tile + at) + load<f32>(bias + at);
    if (residual != 0) value += load<f32>(residual + offset + at);
    if (mask != 0 && !(load<f32>(mask + offset + at) > 0)) value = 0;
    store<f32>(y + offset + at, flush(value < floor ? floor : value));
  }
}
