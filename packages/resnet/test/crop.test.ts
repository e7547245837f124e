import { describe, expect, it } from 'vitest';
import {
  BatchPreparer,
  batchBuffers,
  createPreprocessing,
  noTransform,
  RandomTransforms,
  splitDataset,
  syntheticDataset,
  type Augmentation,
  type Dataset,
  type Mirror,
  type Transform,
} from '../src/index.ts';

const data = syntheticDataset({ count: 60, seed: 4, split: 'train' });
const preparer = new BatchPreparer(data, createPreprocessing(data));

/** One image of a batch of one. */
function prepareOne(image: number, augmentation: Augmentation | Mirror | null): Float32Array {
  const buffers = batchBuffers(data, 1);
  preparer.prepare(Uint32Array.of(image), 0, 1, buffers, augmentation);
  return buffers.images;
}

const transformsOf = (augmentation: Augmentation, count: number): Transform[] => {
  const random = new RandomTransforms(augmentation, data);
  return Array.from({ length: count }, (_, image) => {
    const transform = { ...noTransform };
    random.read(image, transform);
    return transform;
  });
};

/** What tells an image from others. */
const keys = (part: Dataset): string[] =>
  Array.from({ length: part.count }, (_, i) => part.images.subarray(i * 3072, (i + 1) * 3072).join());

const crop = { kind: 'crop', padding: 4, flip: true, cutout: 0 } as const;

describe('mirroring', () => {
  it('turns every image around, its mean with it', () => {
    const [image, mirror] = [prepareOne(7, null), prepareOne(7, { kind: 'mirror' })];
    const turned = image.map((_, i) => {
      const [row, column, channel] = [Math.floor(i / 96), Math.floor((i % 96) / 3), i % 3];
      return image[row * 96 + (31 - column) * 3 + channel] ?? Number.NaN;
    });
    expect(mirror).toEqual(turned);
  });
});

describe('cropping', () => {
  it('moves by every whole number of pixels up to the padding, all equally often, and flips every other image', () => {
    const transforms = transformsOf({ ...crop, seed: 1, epoch: 0 }, 20_000);
    for (const axis of ['dy', 'dx'] as const) {
      const counts = new Map<number, number>();
      for (const transform of transforms) counts.set(transform[axis], (counts.get(transform[axis]) ?? 0) + 1);
      expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual([-4, -3, -2, -1, 0, 1, 2, 3, 4]);
      for (const count of counts.values()) expect(count / 20_000).toBeCloseTo(1 / 9, 1);
    }
    expect(transforms.filter(({ flip }) => flip).length / transforms.length).toBeCloseTo(0.5, 1);
    expect(transformsOf({ ...crop, flip: false, seed: 1, epoch: 0 }, 50).some(({ flip }) => flip)).toBe(false);
  });

  it.each([0, 5])('is a window of the image in a frame of zeros, with a square of %i cut out', (cutout) => {
    const augmentation = { ...crop, cutout, seed: 3, epoch: 1 };
    for (const [image, { dy, dx, flip, cutY, cutX }] of transformsOf(augmentation, 20).entries()) {
      const source = prepareOne(image, null);
      const expected: number[] = [];
      for (let r = 0; r < 32; r++) {
        for (let c = 0; c < 32; c++) {
          const [y, x] = [r + dy, (flip ? 31 - c : c) + dx];
          const hidden = cutout > 0 && Math.abs(r - cutY) <= 2 && Math.abs(c - cutX) <= 2;
          const inside = y >= 0 && y < 32 && x >= 0 && x < 32 && !hidden;
          for (let k = 0; k < 3; k++) expected.push(inside ? (source[(y * 32 + x) * 3 + k] ?? Number.NaN) : 0);
        }
      }
      expect(prepareOne(image, augmentation)).toEqual(Float32Array.from(expected));
    }
  });
});

describe('splitDataset', () => {
  it('parts the images by a seed of its own, each to one side, in their order', () => {
    for (const [size, count] of [
      [0.1, 6],
      [7, 7],
    ] as const) {
      const { train, validation } = splitDataset(data, { size, seed: 1 });
      expect([train.count, validation.count]).toEqual([60 - count, count]);
      const [all, kept, held] = [keys(data), keys(train), keys(validation)];
      expect([...kept, ...held].toSorted()).toEqual(all.toSorted());
      expect(held).toEqual(all.filter((key) => held.includes(key)));
      expect(held.map((key) => data.labels[all.indexOf(key)])).toEqual([...validation.labels]);
      expect(keys(splitDataset(data, { size, seed: 1 }).validation)).toEqual(held);
      expect(keys(splitDataset(data, { size, seed: 2 }).validation)).not.toEqual(held);
    }
    expect(() => splitDataset(data, { size: 60, seed: 1 })).toThrow('cannot put 60 of the 60 images');
    expect(() => splitDataset(data, { size: 0.01, seed: 1 })).toThrow('cannot put 0 of the 60 images');
  });
});
