import { ValueError } from '@skiplane/core';
import { cifar10FromArchive, syntheticDataset, takeDataset, type Dataset } from '@skiplane/resnet';
import type { Images, Split, WorkerState } from '../state.ts';
import { fetchStream } from '../fetch-stream.ts';
import { transferring } from '../transfer.ts';

/** Where the images come from. */
export type DataSource =
  | {
      /** Shapes that are drawn from the seed: see `syntheticDataset`. */
      readonly kind: 'synthetic';
      readonly seed: number;
      /** Numbers of images. */
      readonly train: number;
      readonly test: number;
      /** Height and width in pixels (default 32). */
      readonly size?: number;
    }
  | {
      /** `cifar-10-binary.tar.gz` or the .tar in it: a file that was dropped, or an address. */
      readonly kind: 'cifar10';
      readonly archive: Blob | string;
      /** The first images only (default: all). */
      readonly train?: number;
      readonly test?: number;
    }
  | { readonly kind: 'images'; readonly train: Dataset; readonly test?: Dataset };

/** A data set without its pixels. */
export type DataInfo = Omit<Dataset, 'images' | 'labels'>;

export interface ImagesRequest {
  readonly split: Split;
  /** Numbers of images, from 0. */
  readonly indices: readonly number[];
}

export interface PickedImages {
  /** One behind the other: height × width × channels, 0 to 255. */
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

/** Loads the images to train and to test on, in place of those that were there. */
export async function loadData(
  state: WorkerState,
  source: DataSource,
): Promise<{ readonly train: DataInfo; readonly test: DataInfo | null }> {
  const { train, test } = (state.images = await read(source));
  return { train: infoOf(train), test: test === undefined ? null : infoOf(test) };
}

async function read(source: DataSource): Promise<Images> {
  if (source.kind === 'images') return { train: source.train, test: source.test };
  if (source.kind === 'synthetic') {
    const { seed, train, test, size = 32 } = source;
    return {
      train: syntheticDataset({ split: 'train', count: train, seed, size }),
      test: syntheticDataset({ split: 'test', count: test, seed, size }),
    };
  }
  const { archive, train, test } = source;
  const stream = typeof archive === 'string' ? await fetchStream(archive) : archive.stream();
  const all = await cifar10FromArchive(stream, typeof archive === 'string' ? archive : 'the file');
  return {
    train: takeDataset(all.train, 0, train ?? all.train.count),
    test: takeDataset(all.test, 0, test ?? all.test.count),
  };
}

function infoOf({ name, count, height, width, channels, classNames }: Dataset): DataInfo {
  return { name, count, height, width, channels, classNames };
}

/** Some of the loaded images. @throws {ValueError} when there are no such images */
export function images(state: WorkerState, { split, indices }: ImagesRequest): PickedImages {
  const data = state.split(split);
  const wrong = indices.filter((index) => !Number.isInteger(index) || index < 0 || index >= data.count);
  if (wrong.length > 0) {
    throw new ValueError(
      `there are no images ${wrong.join(', ')} in '${data.name}': they are numbered 0 to ${data.count - 1}.`,
      { wrong, count: data.count },
    );
  }
  const size = data.height * data.width * data.channels;
  const pixels = new Uint8Array(indices.length * size);
  indices.forEach((index, i) => pixels.set(data.images.subarray(index * size, (index + 1) * size), i * size));
  const labels = Uint8Array.from(indices, (index) => data.labels[index] as number);
  return transferring({ pixels, labels }, [pixels.buffer]);
}
