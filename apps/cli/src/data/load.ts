import { syntheticDataset, takeDataset, type Dataset } from '@skiplane/resnet';
import { loadCifar10 } from '@skiplane/resnet/node';
import { note } from '../output.ts';
import { findDataSource } from './source.ts';

export interface Data {
  readonly source: 'synthetic' | 'files';
  readonly train: Dataset;
  readonly test: Dataset;
}

export interface Limits {
  readonly train?: number | undefined;
  readonly test?: number | undefined;
}

/** The synthetic pictures are the same for every run: its seed is not the seed of the training. */
const synthetic = { train: 5000, test: 1000, seed: 1 } as const;

/** Loads what `--data` and its defaults name. */
export async function loadData(option: string | undefined, limits: Limits): Promise<Data> {
  const source = await findDataSource(option);
  if (source.kind === 'synthetic') {
    const train = drawSynthetic('train', limits.train);
    return { source: 'synthetic', train, test: drawSynthetic('test', limits.test) };
  }
  const { train, test } = await loadCifar10(source.path, limits);
  return {
    source: 'files',
    train: limit(train, '--limit-train', limits.train),
    test: limit(test, '--limit-test', limits.test),
  };
}

/** Only the test images, for an evaluation. */
export async function loadTestData(option: string | undefined, count: number | undefined): Promise<Dataset> {
  const source = await findDataSource(option);
  if (source.kind === 'synthetic') return drawSynthetic('test', count);
  const { test } = await loadCifar10(source.path, { train: 0, test: count });
  return limit(test, '--limit', count);
}

function drawSynthetic(split: 'train' | 'test', count: number = synthetic[split]): Dataset {
  return syntheticDataset({ count, seed: synthetic.seed, split });
}

function limit(data: Dataset, option: string, count: number | undefined): Dataset {
  if (count === undefined) return data;
  if (count > data.count) {
    note(`${option} is ${count}, but '${data.name}' has only ${data.count} images: all of them are used.`);
    return data;
  }
  return takeDataset(data, 0, count);
}
