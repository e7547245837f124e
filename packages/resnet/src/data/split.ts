import { permutation, ValueError } from '@skiplane/core';
import type { HoldoutSettings } from '../recipe/recipe.ts';
import type { Dataset } from './dataset.ts';

/** A data set in two parts. */
export interface Split {
  readonly train: Dataset;
  readonly validation: Dataset;
}

/**
 * Puts images aside that training does not see, drawn at random by a seed of their own, so that runs with other seeds have
 * the same ones. Both parts keep the images' order; they are copies.
 * @throws {ValueError} when one of the parts would be empty
 */
export function splitDataset(data: Dataset, { size, seed }: Omit<HoldoutSettings, 'kind'>): Split {
  const count = size < 1 ? Math.floor(size * data.count) : size;
  if (count < 1 || count >= data.count) {
    throw new ValueError(
      `cannot put ${count} of the ${data.count} images of '${data.name}' aside for validation (size ${size}): both parts need an image; ask for another size, or validate on images of your own.`,
      { count, available: data.count },
    );
  }
  const order = permutation(seed, 'holdout', data.count);
  return {
    train: picked(data, order.subarray(count).toSorted(), 'train part'),
    validation: picked(data, order.subarray(0, count).toSorted(), 'held-out part'),
  };
}

function picked(data: Dataset, indices: Uint32Array, part: string): Dataset {
  const size = data.height * data.width * data.channels;
  const images = new Uint8Array(indices.length * size);
  indices.forEach((image, i) => images.set(data.images.subarray(image * size, (image + 1) * size), i * size));
  const labels = Uint8Array.from(indices, (image) => data.labels[image] as number);
  return { ...data, name: `${data.name}, ${part}`, images, labels, count: indices.length };
}
