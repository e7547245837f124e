import {
  byteLength,
  OutOfMemoryError,
  transformLength,
  ValueError,
  writeTransform,
  type Backend,
  type Tensor,
} from '@skiplane/core';
import type { GatheredImages } from '../graphs/model-graph.ts';
import {
  EpochTransforms,
  mirrorTransform,
  noTransform,
  type Augmentation,
  type Mirror,
  type Transform,
} from './augmentation.ts';
import type { BatchSource, GatherBuffers, PreparedBatch, TransformOptions } from './batch-source.ts';
import type { Dataset } from './dataset.ts';
import { isForDevice } from '../recipe/augmentation.ts';
import { checkPreprocessing, pixelValues, type Preprocessing } from './preprocessing.ts';

/**
 * A data set as bytes on a device, which normalizes, shifts and flips the images of a batch itself. The transforms are those
 * of the host's path; so are the pixels, to the bit on the wasm backend, and on a device that computes in float32 within
 * 1e-6 for pixels of up to 1 (to the bit where no shift lies between pixels). It crops nothing: recipes that do are for `HostImages`.
 */
export class DeviceImages implements BatchSource {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly #data: Dataset;
  readonly #transforms: EpochTransforms;
  readonly #transform: Transform = { ...noTransform };

  /**
   * Copies the images to the device.
   * @throws {OutOfMemoryError} when they do not fit there in one piece
   * @throws {ValueError} when the preprocessing is not for the images' size, or divides by a standard deviation
   */
  constructor(backend: Backend, data: Dataset, preprocessing: Preprocessing) {
    checkPreprocessing(data, preprocessing);
    const { scale, mean, std } = preprocessing;
    if (std !== undefined) {
      throw new ValueError(
        `images on the device cannot be divided by a standard deviation, as the preprocessing of '${data.name}' asks: take HostImages (imagesOn: 'host').`,
      );
    }
    this.#data = data;
    this.#transforms = new EpochTransforms(data);
    const { height, width, channels } = data;
    const tensors = new Map<string, Tensor>();
    this.tensors = tensors;
    try {
      tensors.set('images', imagesTensor(backend, data));
      tensors.set('pixelValues', backend.tensor({ shape: [256], dtype: 'f32' }, pixelValues(scale)));
      tensors.set('meanImage', backend.tensor({ shape: [height, width, channels], dtype: 'f32' }, mean));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  images(transform: TransformOptions | null): GatheredImages {
    return {
      count: this.#data.count,
      transformed: transform !== null,
      interpolationOrder: transform?.interpolationOrder ?? 1,
    };
  }

  batch(size: number, transform: TransformOptions | null): PreparedBatch {
    const buffers: GatherBuffers = {
      indices: new Int32Array(size),
      transforms: transform === null ? null : new Float32Array(size * transformLength),
      labels: new Float32Array(size * this.#data.classNames.length),
    };
    return {
      buffers,
      prepare: (order, from, count, augmentation) => this.#prepare(order, from, count, buffers, augmentation),
    };
  }

  dispose(): void {
    for (const tensor of this.tensors.values()) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #prepare(
    order: Uint32Array | null,
    from: number,
    count: number,
    { indices, transforms, labels }: GatherBuffers,
    augmentation: Augmentation | Mirror | null,
  ): void {
    checkTransforms(augmentation, transforms);
    const classes = this.#data.classNames.length;
    const random = augmentation === null || augmentation.kind === 'mirror' ? null : this.#transforms.of(augmentation);
    Object.assign(this.#transform, random === null && augmentation !== null ? mirrorTransform : noTransform);
    indices.fill(0);
    labels.fill(0);
    transforms?.fill(0);
    for (let i = 0; i < count; i++) {
      const image = order === null ? from + i : (order[from + i] as number);
      indices[i] = image;
      labels[i * classes + (this.#data.labels[image] as number)] = 1;
      if (transforms === null || augmentation === null) continue;
      random?.read(image, this.#transform);
      writeTransform(transforms, i, this.#transform);
    }
  }
}

function checkTransforms(augmentation: Augmentation | Mirror | null, transforms: Float32Array | null): void {
  if (augmentation === null) return;
  const { kind } = augmentation;
  if (augmentation.kind !== 'mirror' && !isForDevice(augmentation)) {
    throw new ValueError(
      `images on the device cannot have augmentation '${kind}': a device can only shift and flip them; take HostImages, or another augmentation.`,
      { kind },
    );
  }
  if (transforms === null) {
    throw new ValueError(
      `images on the device cannot have '${kind}' in a batch without transforms: ask for the batch, and for the images of its graph, with TransformOptions.`,
      { kind },
    );
  }
}

function imagesTensor(backend: Backend, { name, images, count, height, width, channels }: Dataset): Tensor {
  const spec = { shape: [count, height, width, channels], dtype: 'u8' } as const;
  try {
    return backend.tensor(spec, images);
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error;
    const bytes = byteLength(spec);
    throw new OutOfMemoryError(
      `the ${count.toLocaleString('en')} images of '${name}' do not fit on the device '${backend.info.device}': they need ` +
        `${bytes.toLocaleString('en')} bytes in one piece. Keep them on the host (imagesOn: 'host', or --data-on host), or use fewer. ` +
        `The device says: ${error.message}`,
      { ...error.details, bytes, count },
    );
  }
}
