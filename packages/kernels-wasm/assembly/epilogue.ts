import { flush, flush4 } from './simd';

/** The least value an activation lets through: 0 for relu, else −∞. */
@inline export function activationFloor(relu: i32): f32 {
  return relu != 0 ? 0 : -Infinity;
}

/** One vector of {@link storePixel}: `biases` and `least` hold the bias and the floor of its four channels. */
@inline export function storeVector(
  tile: usize, y: usize, residual: usize, mask: usize, biases: v128, least: v128, offset: usize,
): void {
  let value = f32x4.add(v128.load(tile), biases);
  if (residual != 0) value = f32x4.add(value, v128.load(residual + offset));
  if (mask != 0) value = v128.and(value, f32x4.gt(v128.load(mask + offset), f32x4.splat(0)));
  v128.store(y + offset, flush4(f32x4.pmax(value, least)));
}

/**
 * Stores up to 16 channels of one pixel: y = max(tile + bias + residual, floor), or (tile + residual)·[mask > 0].
 * `bias` points at zeros where there is none; residual and mask are 0 where absent. `offset` is the byte offset of the
 * first channel in y, residual and mask. A NaN passes through.
 */
@inline export function storePixel(
  tile: usize, channels: i32, y: usize, bias: usize, residual: usize, mask: usize, floor: f32, offset: usize,
): void {
  const bytes = <usize>channels << 2, least = f32x4.splat(floor);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    storeVector(tile + at, y, residual, mask, v128.load(bias + at), least, offset + at);
  }
  for (; at < bytes; at += 4) {
    let value = load<f32>(tile + at) + load<f32>(bias + at);
    if (residual != 0) value += load<f32>(residual + offset + at);
    if (mask != 0 && !(load<f32>(mask + offset + at) > 0)) value = 0;
    store<f32>(y + offset + at, flush(value < floor ? floor : value));
  }
}
