/** The quotient of an error and its bound, in few digits; `exact` where there is no error at all. */
export function formatRatio(ratio: number): string {
  if (ratio === 0) return 'exact';
  if (!Number.isFinite(ratio)) return 'infinite';
  return ratio >= 1e4 ? ratio.toExponential(1) : ratio.toFixed(3);
}
