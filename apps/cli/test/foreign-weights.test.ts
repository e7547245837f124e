import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Backend } from '@skiplane/core';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import {
  evaluateModel,
  Evaluator,
  HostImages,
  isLayerGraph,
  takeDataset,
  type PreprocessingPreset,
} from '@skiplane/resnet';
import { loadCifar10, loadModel } from '@skiplane/resnet/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** Public weights of others, and what an independent engine predicts with them. */
const shared = fileURLToPath(new URL('../../../../shared', import.meta.url));
const images = `${shared}/cifar10/small`;

interface Reference {
  readonly logits16: readonly (readonly number[])[];
  readonly predictions_10000: string;
  readonly correct_of_first_1000: number;
}

const files: readonly (readonly [file: string, preprocessing: PreprocessingPreset])[] = [
  ['resnet20-12fca82f.th', 'imagenet'],
  ['resnet56-4bfd9763.th', 'imagenet'],
  ['mlcommons-tiny-pretrainedResnet.h5', 'raw'],
  ['vnncomp2021-resnet_2b.onnx', 'cifar'],
];

/** The networks of PyTorch's files, whose names alone say them. */
const families: Readonly<Record<string, string>> = {
  'resnet20-12fca82f.th': 'he20',
  'resnet56-4bfd9763.th': 'he56',
};

const missing = existsSync(`${shared}/weights`) && existsSync(images) ? undefined : `there is no '${shared}'`;
if (missing !== undefined) console.warn(`weights of others are not tried: ${missing}.`);

describe.skipIf(missing !== undefined)('weights of others, on wasm', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createWasmBackend();
  });
  afterAll(() => backend.dispose());

  test.each(files)(
    '%s predicts 1,000 images as its own engine does',
    { timeout: 120_000 },
    async (file, preprocessing) => {
      const reference = JSON.parse(readFileSync(`${shared}/weights/${file}.reference.json`, 'utf8')) as Reference;
      const loaded = await loadModel(`${shared}/weights/${file}`, { preprocessing });
      const { test: data } = await loadCifar10(images);
      const { predictions, correct } = await evaluateModel({ backend, ...loaded, data, batchSize: 100 });
      expect([...predictions].join('')).toBe(reference.predictions_10000.slice(0, data.count));
      expect(correct).toBe(reference.correct_of_first_1000);
    },
  );

  test.each(files)(
    '%s has the logits of its own engine, folded and not',
    { timeout: 120_000 },
    async (file, preprocessing) => {
      const reference = JSON.parse(readFileSync(`${shared}/weights/${file}.reference.json`, 'utf8')) as Reference;
      const loaded = await loadModel(`${shared}/weights/${file}`, { preprocessing });
      const { [file]: family } = families;
      expect(isLayerGraph(loaded.model)).toBe(family === undefined);
      if (family !== undefined) expect(loaded.model.name).toBe(family);
      if (loaded.preprocessing === null) throw new Error('it has preprocessing');
      const data = takeDataset((await loadCifar10(images)).test, 0, 16);
      for (const fold of [true, false]) {
        using evaluator = await Evaluator.compile(
          backend,
          loaded.model,
          data,
          new HostImages(data, loaded.preprocessing),
          16,
          { fold },
        );
        const done = [];
        for await (const count of evaluator.run(loaded.parameters)) done.push(count);
        expect(done).toEqual([16]);
        const logits = (await evaluator.logits.read()) as Float32Array;
        const differences = reference.logits16.flat().map((value, i) => Math.abs(value - (logits[i] ?? Number.NaN)));
        expect(Math.max(...differences)).toBeLessThan(1e-4);
      }
    },
  );
});
