import type { FeatureMap } from '@skiplane/resnet';

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

/** The least and the largest of every `step`-th value from `first` on. */
export function rangeOf(data: Float32Array, first = 0, step = 1): readonly [least: number, most: number] {
  let [least, most] = [Infinity, -Infinity];
  for (let at = first; at < data.length; at += step) {
    const value = data[at] ?? 0;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

interface Sheet {
  readonly width: number;
  readonly height: number;
  readonly rgba: Rgba;
}

const tilesInRow = 8;

/**
 * The first channels of [height, width, channels] beside each other, each stretched from its least to its largest value, dark to
 * light. One picture for all, and plain loops: a page that follows a run draws ten of these at a time.
 */
export function channelSheet({ height, width, channels, data }: FeatureMap, shown: number): Sheet {
  const gap = Math.max(1, Math.round(width / 10));
  const rows = Math.ceil(shown / tilesInRow);
  const sheetWidth = tilesInRow * (width + gap) - gap;
  const sheetHeight = rows * (height + gap) - gap;
  const pixels = new Uint32Array(sheetWidth * sheetHeight);
  for (let channel = 0; channel < shown; channel++) {
    const [least, most] = rangeOf(data, channel, channels);
    const scale = most > least ? (ramp.length - 1) / (most - least) : 0;
    const left = (channel % tilesInRow) * (width + gap);
    const top = Math.floor(channel / tilesInRow) * (height + gap);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = data[(y * width + x) * channels + channel] ?? 0;
        pixels[(top + y) * sheetWidth + left + x] = ramp[Math.round((value - least) * scale)] ?? 0;
      }
    }
  }
  return { width: sheetWidth, height: sheetHeight, rgba: new Uint8ClampedArray(pixels.buffer) };
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

/** Between the stops, in 256 steps; a number is a pixel's four bytes. */
const ramp = new Uint32Array(
  Uint8ClampedArray.from({ length: 4 * 256 }, (_, i) => {
    if (i % 4 === 3) return 255;
    const at = (Math.floor(i / 4) / 255) * (stops.length - 1);
    const [low, high] = [stops[Math.floor(at)], stops[Math.min(Math.floor(at) + 1, stops.length - 1)]];
    const [a, b] = [low?.[i % 4] ?? 0, high?.[i % 4] ?? 0];
    return a + (b - a) * (at - Math.floor(at));
  }).buffer,
);
