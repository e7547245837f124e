import type { Tensor } from '@skiplane/core';
import type { GatheredImages } from '../graphs/model-graph.ts';
import type { Augmentation, Mirror } from './augmentation.ts';
import { BatchPreparer, batchBuffers, type BatchBuffers } from './batch-preparer.ts';
import type { Dataset } from './dataset.ts';
import type { Preprocessing } from './preprocessing.ts';
import type { InterpolationOrder } from './shift.ts';

/** Where the images of a data set are: a batch is put together there. */
export type ImagesOn = 'host' | 'device';

/** What a batch takes from host to device when the images are there already: their numbers and transforms. */
export interface GatherBuffers {
  /** [batch], int32 */
  readonly indices: Int32Array;
  /** [batch, 7], see core's `gatherImages`; null in a program without transforms */
  readonly transforms: Float32Array | null;
  /** [batch, classes], one-hot */
  readonly labels: Float32Array;
}

/** Host memory of one batch, and what fills it. */
export interface PreparedBatch {
  readonly buffers: BatchBuffers | GatherBuffers;
  /**
   * Prepares the images `order[from]` to `order[from + count − 1]`; what the batch holds beyond them has no label.
   * @param order  indices of images, or null for their order in the data set
   * @throws {ValueError} when the batch's program cannot do what is asked: see `DeviceImages`
   */
  prepare(order: Uint32Array | null, from: number, count: number, augmentation: Augmentation | Mirror | null): void;
}

/** How a program shifts and flips images; null where it never does. */
export interface TransformOptions {
  readonly interpolationOrder: InterpolationOrder;
}

/** Where the batches of a data set come from. */
export interface BatchSource extends Disposable {
  /** Tensors that programs share, by the names of their graph's inputs. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** How a graph reads its images; undefined when they come as its input `x`. */
  images(transform: TransformOptions | null): GatheredImages | undefined;
  /** New host memory for batches of a size. */
  batch(size: number, transform: TransformOptions | null): PreparedBatch;
  dispose(): void;
}

/** Batches that the host normalizes, and shifts or crops, and flips. */
export class HostImages implements BatchSource {
  readonly tensors: ReadonlyMap<string, Tensor> = new Map();
  readonly #data: Dataset;
  readonly #preparer: BatchPreparer;

  /** @throws {ValueError} when the preprocessing is not for the images' size */
  constructor(data: Dataset, preprocessing: Preprocessing) {
    this.#data = data;
    this.#preparer = new BatchPreparer(data, preprocessing);
  }

  images(): undefined {
    return undefined;
  }

  batch(size: number): PreparedBatch {
    const buffers = batchBuffers(this.#data, size);
    return {
      buffers,
      prepare: (order, from, count, augmentation) => this.#preparer.prepare(order, from, count, buffers, augmentation),
    };
  }

  dispose(): void {}

  [Symbol.dispose](): void {}
}
