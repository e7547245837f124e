import { ValueError } from '@skiplane/core';
import { imageElements } from '../config.ts';
import type { ModelShape } from '../model.ts';
import { sha256 } from '../sha256.ts';

/** Labelled images in memory. */
export interface Dataset {
  readonly name: string;
  /** count × height × width × channels, rows from the top, channels innermost. */
  readonly images: Uint8Array;
  /** One class index an image. */
  readonly labels: Uint8Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly classNames: readonly string[];
}

/**
 * `count` images of a data set from image `from` on: a view that shares the memory, for splits and limits.
 * @throws {ValueError} when they are not all there
 */
export function takeDataset(data: Dataset, from: number, count: number): Dataset {
  if (![from, count].every((value) => Number.isInteger(value) && value >= 0) || from + count > data.count) {
    throw new ValueError(
      `cannot take images ${from} to ${from + count} of '${data.name}': it has ${data.count} images; ask for a range within 0 to ${data.count}.`,
      { from, count, available: data.count },
    );
  }
  const size = data.height * data.width * data.channels;
  return {
    ...data,
    images: data.images.subarray(from * size, (from + count) * size),
    labels: data.labels.subarray(from, from + count),
    count,
  };
}

/**
 * Checks that a data set is whole and that a model can take it.
 * @throws {ValueError} that lists every disagreement
 */
export function checkDataset(data: Dataset, model: ModelShape): void {
  const [height, width] = model.imageSize;
  const problems: string[] = [];
  const expect = (what: string, actual: number, expected: number): void => {
    if (actual !== expected) problems.push(`${what} ${actual} where the model has ${expected}`);
  };
  expect('image height', data.height, height);
  expect('image width', data.width, width);
  expect('channels', data.channels, model.channels);
  expect('classes', data.classNames.length, model.classes);
  if (data.count < 1) problems.push('no images');
  if (data.images.length !== data.count * data.height * data.width * data.channels) {
    problems.push(`${data.images.length} bytes of images for ${data.count} images`);
  }
  if (data.labels.length !== data.count) problems.push(`${data.labels.length} labels for ${data.count} images`);
  const outside = data.labels.findIndex((label) => label >= data.classNames.length);
  if (outside >= 0) problems.push(`label ${data.labels[outside]} of image ${outside} names no class`);
  if (problems.length > 0) {
    throw new ValueError(
      `data set '${data.name}' does not fit ${model.name} (images ${height}×${width}×${model.channels} = ` +
        `${imageElements(model)} values, ${model.classes} classes): ${problems.join('; ')}.`,
      { problems },
    );
  }
}

/**
 * What identifies the content of a data set: SHA-256 of its shape, labels and images, in hexadecimal.
 * @throws {ValueError} where the page may not use WebCrypto, which needs https or localhost
 */
export async function datasetIdentity(data: Dataset): Promise<string> {
  const what = 'the data set';
  const shape = [data.count, data.height, data.width, data.channels].join('×');
  const digests = [await sha256(data.labels, what), await sha256(data.images, what)];
  return sha256([shape, data.classNames.join(','), ...digests].join('\n'), what);
}
