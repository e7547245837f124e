/** Vector arithmetic that differs between the two binaries, and the flushing of subnormals. */

/** a·b + c: one fused instruction in the relaxed-simd binary, two roundings in the simd one. */
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/** max(v, 0) per lane; a NaN stays NaN, as Keras's relu keeps it. */
@inline export function relu4(v: v128): v128 {
  return f32x4.pmax(v, f32x4.splat(0));
}

/**
 * Lanes smaller than the least normal float become zero; NaN stays. Wasm has no flush-to-zero mode, and arithmetic on subnormals
 * can be a hundred times slower.
 */
@inline export function flush4(v: v128): v128 {
  return v128.andnot(v, f32x4.lt(f32x4.abs(v), f32x4.splat(f32.MIN_NORMAL_VALUE)));
}

@inline export function flush(v: f32): f32 {
  return abs(v) < f32.MIN_NORMAL_VALUE ? 0 : v;
}

/** Sum of the four lanes, as (0 + 1) + (2 + 3). */
@inline export function sum4(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** Whether the float at an address is neither infinite nor NaN: by its exponent, so that no assumption about NaN comes in. */
@inline export function finite(at: usize): bool {
  return (load<u32>(at) & 0x7f800000) != 0x7f800000;
}
