import { ValueError } from '@skiplane/core';
import { describe, expect, it } from 'vitest';
import { createPreprocessing, datasetIdentity, syntheticDataset, type Dataset } from '../src/index.ts';

/** Features of an image for a linear classifier. */
type Features = (data: Dataset, image: number) => Float64Array;

const pixels = (data: Dataset): Features => {
  const { mean } = createPreprocessing(data);
  return ({ images }, image) =>
    Float64Array.from(mean, (average, i) => (images[image * mean.length + i] ?? 0) / 255 - average);
};

/** Counts of 4×4×4 colours. */
const histogram: Features = ({ images }, image) => {
  const counts = new Float64Array(64);
  for (let at = image * 3072; at < (image + 1) * 3072; at += 3) {
    const bin = ((images[at] ?? 0) >> 6) * 16 + ((images[at + 1] ?? 0) >> 6) * 4 + ((images[at + 2] ?? 0) >> 6);
    counts[bin] = (counts[bin] ?? 0) + 1 / 128;
  }
  return counts;
};

/** A softmax regression of ten classes, trained by gradient descent, one image at a time. */
class LinearClassifier {
  readonly #size: number;
  readonly #weights: Float64Array;

  constructor(size: number) {
    this.#size = size;
    this.#weights = new Float64Array(10 * (size + 1));
  }

  scores(x: Float64Array): number[] {
    return Array.from({ length: 10 }, (_, k) => {
      const from = k * (this.#size + 1);
      let sum = this.#weights[from + this.#size] as number;
      for (let i = 0; i < this.#size; i++) sum += (x[i] as number) * (this.#weights[from + i] as number);
      return sum;
    });
  }

  learn(x: Float64Array, label: number, rate: number): void {
    const scores = this.scores(x);
    const powers = scores.map((score) => Math.exp(score - Math.max(...scores)));
    const sum = powers.reduce((a, b) => a + b, 0);
    powers.forEach((power, k) => {
      const step = rate * (power / sum - (label === k ? 1 : 0));
      const from = k * (this.#size + 1);
      for (let i = 0; i < this.#size; i++)
        this.#weights[from + i] = (this.#weights[from + i] as number) - step * (x[i] as number);
      this.#weights[from + this.#size] = (this.#weights[from + this.#size] as number) - step;
    });
  }
}

/** Accuracies of a linear classifier on the images that it was trained on, and on others. */
function linearAccuracy(
  train: Dataset,
  test: Dataset,
  features: Features,
  rate: number,
): { readonly train: number; readonly test: number } {
  const inputs = Array.from({ length: train.count }, (_, image) => features(train, image));
  const classifier = new LinearClassifier(inputs[0]?.length ?? 0);
  for (let epoch = 0; epoch < 8; epoch++)
    inputs.forEach((x, image) => classifier.learn(x, train.labels[image] ?? 0, rate));
  const accuracy = (data: Dataset): number => {
    let correct = 0;
    for (let image = 0; image < data.count; image++) {
      const scores = classifier.scores(features(data, image));
      if (scores.indexOf(Math.max(...scores)) === data.labels[image]) correct++;
    }
    return correct / data.count;
  };
  return { train: accuracy(train), test: accuracy(test) };
}

/** The first pixels of 500 images, as texts. */
const keys = (split: 'train' | 'test'): string[] => {
  const { images } = syntheticDataset({ count: 500, seed: 1, split });
  return Array.from({ length: 500 }, (_, image) => images.subarray(image * 3072, image * 3072 + 600).join(','));
};

describe('syntheticDataset', () => {
  it('has ten named classes in equal numbers, in the shape of CIFAR-10', () => {
    const data = syntheticDataset({ count: 40, seed: 1, split: 'train' });
    expect(data).toMatchObject({ count: 40, height: 32, width: 32, channels: 3 });
    expect(data.images).toHaveLength(40 * 3072);
    expect(new Set(data.classNames).size).toBe(10);
    for (let label = 0; label < 10; label++) expect(data.labels.filter((value) => value === label)).toHaveLength(4);
  });

  it('is a function of the seed, and longer sets begin like shorter ones', async () => {
    const data = syntheticDataset({ count: 30, seed: 1, split: 'train' });
    expect(await datasetIdentity(syntheticDataset({ count: 30, seed: 1, split: 'train' }))).toBe(
      await datasetIdentity(data),
    );
    expect(syntheticDataset({ count: 50, seed: 1, split: 'train' }).images.slice(0, data.images.length)).toEqual(
      data.images,
    );
    expect(await datasetIdentity(syntheticDataset({ count: 30, seed: 2, split: 'train' }))).not.toBe(
      await datasetIdentity(data),
    );
  });

  it('has no image twice, neither in one split nor in both', () => {
    const all = [...keys('train'), ...keys('test')];
    expect(new Set(all).size).toBe(all.length);
  });

  it('has pixels over the whole range, and no class of a colour of its own', () => {
    const data = syntheticDataset({ count: 2000, seed: 1, split: 'train' });
    const means = Array.from({ length: 10 }, () => [0, 0, 0]);
    data.images.forEach((value, i) => {
      const row = means[data.labels[Math.floor(i / 3072)] ?? 0];
      if (row !== undefined) row[i % 3] = (row[i % 3] ?? 0) + value / (200 * 1024);
    });
    for (const channel of [0, 1, 2]) {
      const values = means.map((row) => row[channel] ?? 0);
      expect(Math.max(...values) - Math.min(...values)).toBeLessThan(20);
    }
    const counts = new Uint32Array(4);
    for (const value of data.images) counts[value >> 6] = (counts[value >> 6] ?? 0) + 1;
    expect(Math.min(...counts) / data.images.length).toBeGreaterThan(0.08);
  });

  it('is beyond a linear classifier, by pixels and by colours', () => {
    const train = syntheticDataset({ count: 800, seed: 1, split: 'train' });
    const test = syntheticDataset({ count: 500, seed: 1, split: 'test' });
    const byPixels = linearAccuracy(train, test, pixels(train), 0.003);
    expect(byPixels.train).toBeGreaterThan(0.2);
    expect(byPixels.test).toBeLessThan(0.5);
    const byColours = linearAccuracy(train, test, histogram, 0.05);
    expect(byColours.test).toBeLessThan(0.5);
  }, 60_000);

  it('refuses sizes that are none', () => {
    expect(() => syntheticDataset({ count: 0, seed: 1, split: 'train' })).toThrow(ValueError);
    expect(() => syntheticDataset({ count: 1, seed: 1, split: 'train', size: 3 })).toThrow('size 4 or more');
    expect(() => syntheticDataset({ count: 1, seed: -1, split: 'train' })).toThrow('seed must be');
  });
});
