import { createReferenceBackend } from '@skiplane/core/reference';
import { describe, expect, test } from 'vitest';
import {
  evaluateModel,
  foldLayers,
  isLayerGraph,
  loadModel,
  openModelFile,
  predictImages,
  preprocessingPresets,
  type LoadedModel,
  type LoadModelOptions,
} from '../src/index.ts';
import { decodeCheckpoint } from '../src/checkpoint/decode.ts';
import { encodeCheckpoint } from '../src/checkpoint/encode.ts';
import { loadModel as loadFile } from '../src/node/index.ts';
import { expected, fixture, fixturePath } from './support/foreign.ts';
import { torchLegacy, torchZip } from './support/torch-files.ts';

type Use = Pick<LoadedModel, 'model' | 'parameters' | 'preprocessing' | 'classNames'>;

/** Probabilities of every image, in the order of the classes, on the float64 oracle. */
async function probabilities(loaded: Use, images: readonly number[]): Promise<number[][]> {
  using backend = createReferenceBackend();
  const results = await predictImages({ backend, ...loaded, images: Uint8Array.from(images) });
  return results.map((row) =>
    row.toSorted((a, b) => a.classIndex - b.classIndex).map(({ probability }) => probability),
  );
}

function softmax(logits: readonly number[]): number[] {
  const powers = logits.map((value) => Math.exp(value - Math.max(...logits)));
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((value) => value / sum);
}

function expectNear(actual: readonly (readonly number[])[], wanted: readonly (readonly number[])[]): void {
  const differences = wanted.flatMap((row, i) =>
    row.map((value, j) => Math.abs(value - (actual[i]?.[j] ?? Number.NaN))),
  );
  expect(Math.max(...differences)).toBeLessThan(2e-6);
}

async function timmTensors() {
  const file = await openModelFile(fixture('timm.safetensors'));
  return new Map([...file.tensors].map(([name, { shape, read }]) => [name, { shape, data: read() }]));
}

describe('files of Keras 3 and TensorFlow.js compute what they do at home', () => {
  test.each(['small.keras', 'small.h5', 'latest.h5', 'small-tfjs.json'])(
    '%s: a functional network, its scaling out of the file',
    async (name) => {
      const loaded = await loadFile(fixturePath(name));
      expect(loaded.preprocessing?.scale).toBeCloseTo(1 / 127.5, 12);
      expect(loaded.preprocessing?.mean[0]).toBe(1);
      expectNear(await probabilities(loaded, expected.images), expected.small);
    },
  );

  test.each(['short.keras', 'short-zip64.keras', 'short.h5'])(
    '%s: a Sequential network of raw pixels',
    async (name) => {
      const loaded = await loadModel(fixture(name), { preprocessing: 'raw' });
      expectNear(await probabilities(loaded, expected.images), expected.short.map(softmax));
    },
  );

  test.each(['uint8', 'uint16', 'trained'] as const)('tfjs-%s.json of TensorFlow.js itself', async (kind) => {
    const { images, ...wanted } = JSON.parse(new TextDecoder().decode(fixture('tfjs-expected.json'))) as Record<
      'uint8' | 'uint16' | 'trained',
      number[][]
    > & { images: number[] };
    const loaded = await loadFile(fixturePath(`tfjs-${kind}.json`), { preprocessing: 'unit' });
    expectNear(await probabilities(loaded, images), wanted[kind]);
  });

  test('a File or Blob is a source, too', async () => {
    const loaded = await loadModel(new Blob([fixture('short.keras') as Uint8Array<ArrayBuffer>]), {
      preprocessing: 'raw',
    });
    expect(loaded).toMatchObject({ format: 'keras-zip', model: { imageSize: [8, 8], classes: 5 } });
  });
});

describe("weights with torchvision's names", () => {
  const options: LoadModelOptions = { preprocessing: 'unit' };

  test('safetensors as timm publishes them', async () => {
    const loaded = await loadModel(fixture('timm.safetensors'), options);
    expect(loaded.format).toBe('safetensors');
    expectNear(await probabilities(loaded, expected.largeImages), expected.timm.map(softmax));
  });

  test.each([false, true])('the zip of torch.save, deflated: %s', async (deflate) => {
    const tensors = await timmTensors();
    const prefixed = new Map([...tensors].map(([name, tensor]) => [`module.${name}`, tensor]));
    const loaded = await loadModel(torchZip(prefixed, { deflate }), options);
    expect(loaded.format).toBe('pytorch');
    expectNear(await probabilities(loaded, expected.largeImages), expected.timm.map(softmax));
  });

  test('several dictionaries are listed, and one of them can be chosen', async () => {
    const bytes = torchZip(await timmTensors(), { entries: ['state_dict', 'state_dict_ema'] });
    await expect(loadModel(bytes, options)).rejects.toThrow(
      /several dictionaries of tensors: there are 'state_dict' \(\d+ tensors\), 'state_dict_ema' \(\d+ tensors\)/,
    );
    await expect(loadModel(bytes, { ...options, entry: 'ema' })).rejects.toThrow("no dictionary 'ema' of tensors");
    const loaded = await loadModel(bytes, { ...options, entry: 'state_dict_ema' });
    expect(loaded.metadata).toEqual({ entry: 'state_dict_ema' });
    expectNear(await probabilities(loaded, expected.largeImages), expected.timm.map(softmax));
    await expect(loadModel(fixture('short.keras'), { entry: 'a' })).rejects.toThrow('only PyTorch files have such');
  });

  test('ONNX of PyTorch, its tensors in a file beside it', async () => {
    const loaded = await loadFile(fixturePath('external.onnx'), options);
    expectNear(await probabilities(loaded, expected.largeImages), expected.timm.map(softmax));
    await expect(loadModel(fixture('external.onnx'))).rejects.toThrow("'external.data', in which its tensors are");
  });

  test('the pickles of torch.save before 1.6', async () => {
    const loaded = await loadModel(torchLegacy(await timmTensors()), options);
    expectNear(await probabilities(loaded, expected.largeImages), expected.timm.map(softmax));
  });

  test('are loaded strictly: one error lists what is missing, with the nearest, and what is left over', async () => {
    const tensors = await timmTensors();
    const weight = tensors.get('layer1.0.conv2.weight');
    tensors.delete('layer1.0.conv2.weight');
    if (weight !== undefined) tensors.set('layer1.0.conw2.weight', weight);
    tensors.set('extra', { shape: [1], data: new Float32Array(1) });
    const bias = tensors.get('fc.bias');
    if (bias !== undefined) tensors.set('fc.bias', { shape: [4], data: bias.data.slice(0, 4) });
    const loading = loadModel(torchZip(tensors), options);
    await expect(loading).rejects.toThrow(
      /'layer1\.0\.conv2\.weight' is missing; the nearest left over: 'layer1\.0\.conw2\.weight'/,
    );
    await expect(loading).rejects.toThrow("'extra' [1] is used by nothing");
    await expect(loading).rejects.toThrow("'fc.bias' is [4], but the network needs [5]");
  });

  test('of no known family are refused', async () => {
    const tensors = new Map([['features.0.weight', { shape: [2, 3], data: new Float32Array(6) }]]);
    await expect(loadModel(torchZip(tensors))).rejects.toThrow('their names are of no known family: features.0.weight');
  });
});

describe('preprocessing', () => {
  test('must be said where the file does not say it: the error lists the presets', async () => {
    const loaded = await loadModel(fixture('short.keras'));
    expect(loaded.preprocessing).toBeNull();
    using backend = createReferenceBackend();
    const data = {
      name: 'images',
      images: Uint8Array.from(expected.images),
      labels: new Uint8Array(4),
      count: 4,
      height: 8,
      width: 8,
      channels: 3,
      classNames: loaded.classNames,
    };
    const error = await evaluateModel({ backend, ...loaded, data }).then(
      () => '',
      (reason: unknown) => String(reason),
    );
    for (const preset of Object.keys(preprocessingPresets)) expect(error).toContain(preset);
  });

  test.each([
    ['{"scale":1,"mean":[1,2]}', 'there must be 1, 3 or 192'],
    ['{"std":[0]}', 'greater than 0'],
    ['imagenett', 'neither a preset nor JSON'],
  ])('%s cannot be used', async (text, message) => {
    const { parsePreprocessing } = await import('../src/index.ts');
    const load = async () => loadModel(fixture('short.keras'), { preprocessing: parsePreprocessing(text) });
    await expect(load()).rejects.toThrow(message);
  });
});

describe('a checkpoint holds a network of layers', () => {
  test.each([false, true])('and its preprocessing, with the same results; folded: %s', async (fold) => {
    const loaded = await loadModel(fixture('small.keras'), {
      preprocessing: { scale: 1, mean: [127.5], std: [127.5] },
    });
    const { classNames, preprocessing } = loaded;
    const { model, parameters } = fold ? foldLayers(loaded) : loaded;
    const bytes = encodeCheckpoint({ model, parameters, classNames, preprocessing, training: null });
    const again = decodeCheckpoint(bytes);
    expect(again.model).toEqual(model);
    expect(again.preprocessing).toEqual(preprocessing);
    expect(isLayerGraph(again.model) && again.model.layers.some(({ kind }) => kind === 'batchNorm')).toBe(!fold);
    expect(encodeCheckpoint(again)).toEqual(bytes);
    expectNear(await probabilities(await loadModel(bytes), expected.images), expected.small);
  });

  test('and says when the preprocessing is not known', async () => {
    const { model, parameters, classNames } = await loadModel(fixture('short.keras'));
    const bytes = encodeCheckpoint({ model, parameters, classNames, preprocessing: null, training: null });
    expect((await loadModel(bytes)).preprocessing).toBeNull();
  });
});
