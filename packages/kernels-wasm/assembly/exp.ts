/**
 * e^x of four lanes, for x ≤ 0, within 2 ulp; 0 below −87.3.
 *
 * x = n·ln 2 + r, |r| ≤ ln 2 / 2, ln 2 split in two so that r is exact; then a polynomial of degree 6 in r.
 *
 * @source Moshier, Cephes expf
 */
@inline export function exp4(x: v128): v128 {
  const least = f32x4.splat(-87.3);
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let y = f32x4.splat(1.9875691500e-4);
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(1.3981999507e-3));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(8.3334519073e-3));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(4.1665795894e-2));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(1.6666665459e-1));
  y = f32x4.add(f32x4.mul(y, r), f32x4.splat(5.0000001201e-1));
  y = f32x4.add(f32x4.add(f32x4.mul(y, f32x4.mul(r, r)), r), f32x4.splat(1));
  const exponent = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  const result = f32x4.mul(y, exponent);
  // x < least gives 0; a NaN, of which no comparison holds, stays.
  return v128.andnot(result, f32x4.lt(x, least));
}
