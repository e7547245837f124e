/** Numbers as colours: RGBA, row by row. */
type Rgba = Uint8ClampedArray<ArrayBuffer>;

/** RGB pixels of an image, from `from` on. */
export function opaque(rgb: Uint8Array, from: number, pixels: number): Rgba {
  return Uint8ClampedArray.from({ length: 4 * pixels }, (_, i) =>
    i % 4 === 3 ? 255 : (rgb[from + Math.floor(i / 4) * 3 + (i % 4)] ?? 0),
  );
}

/** A filter of three channels: grey where a weight is zero, stretched to its own largest weight. */
export function filterColors(filter: Float32Array, channels: number): Rgba {
  const largest = Math.max(...filter.map(Math.abs), 1e-12);
  return Uint8ClampedArray.from({ length: (4 * filter.length) / channels }, (_, i) => {
    const weight = filter[Math.floor(i / 4) * channels + Math.min(i % 4, channels - 1)] ?? 0;
    return i % 4 === 3 ? 255 : 128 + (127 * weight) / largest;
  });
}

/** One channel of [height, width, channels], stretched from its least to its largest value, dark to light. */
export function channelColors(map: Float32Array, channels: number, channel: number): Rgba {
  const values = Float32Array.from({ length: map.length / channels }, (_, i) => map[i * channels + channel] ?? 0);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return ramp(values, (value) => (most > least ? (value - least) / (most - least) : 0));
}

/** Where a class is seen: more of the colour, and less to be seen through, where there is more. */
export function heatColors(heat: Float32Array): Rgba {
  const most = Math.max(...heat, 1e-12);
  return Uint8ClampedArray.from({ length: 4 * heat.length }, (_, i) => {
    const share = (heat[Math.floor(i / 4)] ?? 0) / most;
    return [255, 90 + 120 * share, 20, 215 * share][i % 4] ?? 0;
  });
}

/** Dark blue over teal to pale yellow: as light as the value, for whoever sees no colours. */
const stops = [
  [26, 28, 58],
  [38, 74, 110],
  [45, 130, 135],
  [122, 184, 120],
  [250, 236, 155],
] as const;

function ramp(values: Float32Array, shareOf: (value: number) => number): Rgba {
  return Uint8ClampedArray.from({ length: 4 * values.length }, (_, i) => {
    if (i % 4 === 3) return 255;
    const at = shareOf(values[Math.floor(i / 4)] ?? 0) * (stops.length - 1);
    const [low, high] = [stops[Math.floor(at)], stops[Math.min(Math.floor(at) + 1, stops.length - 1)]];
    const [a, b] = [low?.[i % 4] ?? 0, high?.[i % 4] ?? 0];
    return a + (b - a) * (at - Math.floor(at));
  });
}
