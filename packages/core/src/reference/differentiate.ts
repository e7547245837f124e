export interface Derivative {
  readonly derivative: number;
  /** Whether the function has no derivative within reach of the smallest step. */
  readonly kink: boolean;
  /** Rounding error to expect in `derivative`. */
  readonly error: number;
}

/** Half widths of the stencils. A kink in reach of one may be out of reach of the next; below the last, rounding prevails. */
const steps = [1e-3, 1e-4, 1e-5, 1e-6];

/** Rounding errors of f, relative to its size: several ulps, as f is a long sum. */
const relativeRounding = 4e-15;

/**
 * The derivative of `f` at 0 by five-point central differences, (f(−2h) − 8·f(−h) + 8·f(h) − f(2h))/12h, with an error of
 * h⁴·f⁽⁵⁾/30: about 1e-13 for smooth functions of size 1.
 *
 * A step counts as smooth when it and its half agree. Where the result then differs from `expected`, the slopes on both
 * sides tell a kink at 0 itself, of which the central difference sees the mean, from a wrong expectation.
 *
 * @param tolerance  largest difference between two estimates of one derivative
 */
export async function differentiate(
  f: (x: number) => Promise<number>,
  tolerance: number,
  expected: number,
): Promise<Derivative> {
  const central = async (h: number): Promise<number> =>
    ((await f(-2 * h)) - 8 * (await f(-h)) + 8 * (await f(h)) - (await f(2 * h))) / (12 * h);
  const size = Math.abs(await f(0));
  let derivative = Number.NaN;
  let error = 0;
  for (const step of steps) {
    const whole = await central(step);
    derivative = await central(step / 2);
    error = (relativeRounding * size) / step;
    const allowed = Math.max(tolerance, 1e-7 * Math.abs(derivative)) + error;
    if (!(Math.abs(whole - derivative) <= allowed)) continue;
    const kink = Math.abs(derivative - expected) > allowed && (await hasKinkAtZero(f, allowed));
    return { derivative, kink, error };
  }
  return { derivative, kink: true, error };
}

/** Whether the slopes to the left and to the right of 0 differ, by one-sided differences of second order. */
async function hasKinkAtZero(f: (x: number) => Promise<number>, allowed: number): Promise<boolean> {
  const h = 1e-4;
  const here = await f(0);
  const right = (-3 * here + 4 * (await f(h)) - (await f(2 * h))) / (2 * h);
  const left = (3 * here - 4 * (await f(-h)) + (await f(-2 * h))) / (2 * h);
  // One-sided differences are off by h²·f‴ on smooth ground.
  return Math.abs(right - left) > Math.max(100 * allowed, 1e-3 * Math.max(Math.abs(right), Math.abs(left)));
}
