/** From sums of products of bytes back to bytes: the epilogue of both kernels of quantizedConv2d. */

/** Bytes of {@link writeRequantizeConstants}. */
export const requantizeBytes: usize = 16;

/**
 * What {@link requantize} needs besides its operands: V8 rebuilds a splat constant at every use, and keeps in a register what
 * it has loaded from memory.
 */
@inline export function writeRequantizeConstants(at: usize, relu: i32, residualMultiplier: f32): void {
  store<f32>(at, relu != 0 ? 0 : -127);
  store<f32>(at, 127, 4);
  // 1.5·2²³: in a sum with it, what is left of a smaller number is whole, and rounded half to even.
  store<f32>(at, 12582912, 8);
  store<f32>(at, residualMultiplier, 12);
}

/** Whole numbers times multipliers, plus biases. */
@inline function scaled4(numbers: v128, multipliers: v128, biases: v128): v128 {
  return f32x4.add(biases, f32x4.mul(f32x4.convert_i32x4_s(numbers), multipliers));
}

/** max(least, min(most, round(value))) as four whole numbers; a NaN becomes the least. */
@inline function round4(value: v128, least: v128, most: v128, magic: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.pmin(f32x4.pmax(least, value), most), magic), magic);
}

/**
 * y = round(sum·multiplier + bias + residual·residualMultiplier) within its bounds, for `rows` × `columns` pixels of up to 16 `channels`.
 * A pixel's sums take 64 bytes, rows of them lie `sumsStep` bytes apart; pixels and rows of y and the residual (0 where there is none)
 * `pixel` and `rowStep`. Eight channels at a time, so that all that they need stays in registers; no calls, before which V8 spills all.
 */
export function requantize(
  sums: usize, sumsStep: usize, rows: i32, columns: i32, channels: i32, multiplier: usize, bias: usize,
  y: usize, residual: usize, rowStep: usize, pixel: usize, constants: usize,
): void {
  const least = v128.load32_splat(constants), most = v128.load32_splat(constants, 4), magic = v128.load32_splat(constants, 8);
  const factor = v128.load32_splat(constants, 12);
  for (; channels >= 8; channels -= 8) {
    const m0 = v128.load(multiplier), m1 = v128.load(multiplier, 16), b0 = v128.load(bias), b1 = v128.load(bias, 16);
    for (let i: usize = 0; i < <usize>rows; i++) {
      let offset = rowStep * i, sum = sums + sumsStep * i;
      for (const end = sum + (<usize>columns << 6); sum < end; sum += 64) {
        let v0 = scaled4(v128.load(sum), m0, b0), v1 = scaled4(v128.load(sum, 16), m1, b1);
        if (residual != 0) {
          const added = v128.load8x8_s(residual + offset);
          v0 = scaled4(i32x4.extend_low_i16x8_s(added), factor, v0);
          v1 = scaled4(i32x4.extend_high_i16x8_s(added), factor, v1);
        }
        const numbers = i16x8.narrow_i32x4_s(round4(v0, least, most, magic), round4(v1, least, most, magic));
        v128.store64_lane(y + offset, i8x16.narrow_i16x8_s(numbers, numbers), 0);
        offset += pixel;
      }
    }
    sums += 32;
    multiplier += 32;
    bias += 32;
    y += 8;
    if (residual != 0) residual += 8;
  }
  if (channels > 0) requantizeOnes(sums, sumsStep, rows, columns, channels, multiplier, bias, y, residual, rowStep, pixel, constants);
}

/** {@link requantize} channel by channel. */
function requantizeOnes(
  sums: usize, sumsStep: usize, rows: i32, columns: i32, channels: i32, multiplier: usize, bias: usize,
  y: usize, residual: usize, rowStep: usize, pixel: usize, constants: usize,
): void {
  const least = load<f32>(constants), factor = load<f32>(constants, 12);
  for (let i: usize = 0; i < <usize>rows; i++) {
    for (let j: usize = 0; j < <usize>columns; j++) {
      const sum = sums + sumsStep * i + (j << 6), offset = rowStep * i + pixel * j;
      for (let k: usize = 0; k < <usize>channels; k++) {
        let value = <f32>load<i32>(sum + (k << 2)) * load<f32>(multiplier + (k << 2)) + load<f32>(bias + (k << 2));
        if (residual != 0) value += <f32>load<i8>(residual + offset + k) * factor;
        store<i8>(y + offset + k, value > least ? <i8>nearest(min(value, 127)) : <i8>least);
      }
    }
  }
}
