import { ValueError } from '@skiplane/core';
import type { Dataset } from './dataset.ts';

/** How pixels become a network's input: x = (pixel·scale − mean)/std. */
export interface Preprocessing {
  readonly scale: number;
  /** One value for every element of an image: height × width × channels. */
  readonly mean: Float32Array;
  /** Like the mean; left out where nothing is divided. */
  readonly std?: Float32Array;
}

/**
 * The example's preprocessing: pixels divided by 255, and the mean image of the training set subtracted
 * (no division by a standard deviation). The mean is exact: sums of whole numbers, rounded once to float32.
 */
export function createPreprocessing(train: Dataset): Preprocessing {
  const scale = 1 / 255;
  const size = train.height * train.width * train.channels;
  // 2^32 is enough for the sum of 16 million bytes.
  const sums = new Uint32Array(size);
  for (let at = 0; at < train.images.length; at += size) {
    for (let i = 0; i < size; i++) sums[i] = (sums[i] as number) + (train.images[at + i] as number);
  }
  return { scale, mean: Float32Array.from(sums, (sum) => (sum / train.count) * scale) };
}

/** The 256 values that a pixel can have before the mean is subtracted, in float32 as Keras computes them. */
export function pixelValues(scale: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, pixel) => pixel * scale);
}

/** @throws {ValueError} when mean or standard deviation are not of the size of a data set's images */
export function checkPreprocessing(data: Dataset, { mean, std = mean }: Preprocessing): void {
  const size = data.height * data.width * data.channels;
  if (mean.length === size && std.length === size) return;
  throw new ValueError(
    `cannot prepare '${data.name}': the mean image has ${mean.length} values${std === mean ? '' : `, the standard deviation ${std.length}`}, an image of the data set ${size}; use the preprocessing of images of one size.`,
    { mean: mean.length, std: std.length, size },
  );
}
