import { largestByte } from './histogram.ts';

/**
 * A filter in whole numbers of eight bits, symmetric, with a scale for every output channel: w ≈ scale[k]·values[…, k].
 * @shape filter  [filterHeight, filterWidth, inChannels, outChannels]
 */
export function quantizeFilter(
  filter: Float32Array,
  outChannels: number,
): { readonly values: Float32Array; readonly scales: Float64Array } {
  const scales = new Float64Array(outChannels);
  filter.forEach((w, i) => {
    scales[i % outChannels] = Math.max(scales[i % outChannels] as number, Math.abs(w) / largestByte);
  });
  // A filter of zeros is exact at any scale.
  const used = scales.map((scale) => (scale > 0 ? scale : 1));
  // Of whole numbers there is no −0.
  return { values: filter.map((w, i) => Math.round(w / (used[i % outChannels] as number)) + 0), scales: used };
}
