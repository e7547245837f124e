import { imageElements } from '../config.ts';
import type { ModelShape } from '../model.ts';
import type { Dataset } from './dataset.ts';

/** The images as a data set whose labels nobody reads. */
export function unlabelledDataset(model: ModelShape, classNames: readonly string[], images: Uint8Array): Dataset {
  const count = images.length / imageElements(model);
  const [height, width] = model.imageSize;
  const labels = new Uint8Array(count);
  return { name: 'images', images, labels, count, height, width, channels: model.channels, classNames };
}
