import {
  EpochTransforms,
  mirrorTransform,
  noTransform,
  type Augmentation,
  type Mirror,
  type Transform,
} from './augmentation.ts';
import { cropImage } from './crop.ts';
import type { Dataset } from './dataset.ts';
import { checkPreprocessing, pixelValues, type Preprocessing } from './preprocessing.ts';
import { ImageShifter } from './shift.ts';

/** Host memory of one batch, to be reused: see {@link batchBuffers}. */
export interface BatchBuffers {
  /** [batch, height, width, channels] */
  readonly images: Float32Array;
  /** [batch, classes], one-hot */
  readonly labels: Float32Array;
}

/** Buffers for batches of a data set. */
export function batchBuffers(data: Dataset, batch: number): BatchBuffers {
  return {
    images: new Float32Array(batch * data.height * data.width * data.channels),
    labels: new Float32Array(batch * data.classNames.length),
  };
}

/**
 * Turns images of a data set into a network's input: scaled, mean subtracted, divided by the standard deviation, then (when asked) shifted or cropped, and flipped.
 * The mean is subtracted first, as in the example, so it moves with the image. Pixels depend on image, seed and epoch only.
 * After construction nothing is allocated but once an epoch.
 */
export class BatchPreparer {
  readonly #data: Dataset;
  readonly #values: Float32Array;
  readonly #mean: Float32Array;
  readonly #std: Float32Array | undefined;
  readonly #image: Float32Array;
  readonly #shifter: ImageShifter;
  readonly #transform: Transform = { ...noTransform };
  readonly #transforms: EpochTransforms;

  /** @throws {ValueError} when the preprocessing is not for the images' size */
  constructor(data: Dataset, preprocessing: Preprocessing) {
    checkPreprocessing(data, preprocessing);
    const { scale, mean, std } = preprocessing;
    this.#data = data;
    this.#transforms = new EpochTransforms(data);
    this.#values = pixelValues(scale);
    this.#mean = mean;
    this.#std = std;
    this.#image = new Float32Array(mean.length);
    this.#shifter = new ImageShifter(data);
  }

  /**
   * Prepares the images `order[from]` to `order[from + count − 1]`. What the buffers hold beyond them becomes zero.
   * @param order  indices of images, or null for their order in the data set
   */
  prepare(
    order: Uint32Array | null,
    from: number,
    count: number,
    out: BatchBuffers,
    augmentation: Augmentation | Mirror | null,
  ): void {
    const { labels, classNames } = this.#data;
    const classes = classNames.length;
    const size = this.#image.length;
    const transforms =
      augmentation === null || augmentation.kind === 'mirror' ? null : this.#transforms.of(augmentation);
    out.labels.fill(0);
    for (let i = 0; i < count; i++) {
      const image = order === null ? from + i : (order[from + i] as number);
      out.labels[i * classes + (labels[image] as number)] = 1;
      if (augmentation === null) {
        this.#normalize(image, out.images, i * size);
        continue;
      }
      this.#normalize(image, this.#image, 0);
      transforms?.read(image, this.#transform);
      this.#transformed(augmentation, out.images, i * size);
    }
    out.images.fill(0, count * size);
  }

  #normalize(image: number, out: Float32Array, to: number): void {
    const pixels = this.#data.images;
    const mean = this.#mean;
    const values = this.#values;
    const std = this.#std;
    const from = image * mean.length;
    for (let i = 0; i < mean.length; i++) {
      const centred = (values[pixels[from + i] as number] as number) - (mean[i] as number);
      out[to + i] = std === undefined ? centred : centred / (std[i] as number);
    }
  }

  /** The image in the hand, transformed. */
  #transformed(augmentation: Augmentation | Mirror, out: Float32Array, to: number): void {
    const { dy, dx, flip } = this.#transform;
    if (augmentation.kind === 'mirror') {
      cropImage(this.#image, this.#data, mirrorTransform, 0, out, to);
    } else if (augmentation.kind === 'shift') {
      this.#shifter.shift(this.#image, dy, dx, flip, augmentation.interpolationOrder, out, to);
    } else {
      cropImage(this.#image, this.#data, this.#transform, augmentation.cutout, out, to);
    }
  }
}
