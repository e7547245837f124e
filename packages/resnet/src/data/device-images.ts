import {
  byteLength,
  OutOfMemoryError,
  transformLength,
  writeTransform,
  type Backend,
  type Tensor,
} from '@skiplane/core';
import type { GatheredImages } from '../graphs/model-graph.ts';
import { EpochTransforms, type Augmentation, type Transform } from './augmentation.ts';
import type { BatchSource, GatherBuffers, PreparedBatch, TransformOptions } from './batch-source.ts';
import type { Dataset } from './dataset.ts';
import { checkMean, pixelValues, type Preprocessing } from './preprocessing.ts';

/**
 * A data set as bytes on a device, which normalizes, shifts and flips the images of a batch itself. The transforms are those
 * of the host's path; so are the pixels, to the bit on the wasm backend, and on a device that computes in float32 within
 * 1e-6 for pixels of up to 1 (to the bit where no shift lies between pixels).
 */
export class DeviceImages implements BatchSource {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly #data: Dataset;
  readonly #transforms: EpochTransforms;
  readonly #transform: Transform = { dy: 0, dx: 0, flip: false };

  /**
   * Copies the images to the device.
   * @throws {OutOfMemoryError} when they do not fit there in one piece
   * @throws {ValueError} when the mean is not of the images' size
   */
  constructor(backend: Backend, data: Dataset, { scale, mean }: Preprocessing) {
    checkMean(data, mean);
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
    augmentation: Augmentation | null,
  ): void {
    const classes = this.#data.classNames.length;
    const random = augmentation === null ? null : this.#transforms.of(augmentation);
    indices.fill(0);
    labels.fill(0);
    transforms?.fill(0);
    for (let i = 0; i < count; i++) {
      const image = order === null ? from + i : (order[from + i] as number);
      indices[i] = image;
      labels[i * classes + (this.#data.labels[image] as number)] = 1;
      if (transforms === null || random === null) continue;
      random.read(image, this.#transform);
      writeTransform(transforms, i, this.#transform);
    }
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
