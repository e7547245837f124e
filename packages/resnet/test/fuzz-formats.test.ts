import { SkiplaneError } from '@skiplane/core';
import { describe, expect, test } from 'vitest';
import { encodeCheckpoint } from '../src/checkpoint/encode.ts';
import {
  createPreprocessing,
  encodeModel,
  initialParameters,
  loadModel,
  modelConfig,
  openModelFile,
  syntheticDataset,
  type WrittenFormat,
} from '../src/index.ts';
import { fixture } from './support/foreign.ts';
import { mutated } from './support/mutate.ts';
import { onnxFile } from './support/onnx-files.ts';
import { torchLegacy, torchZip } from './support/torch-files.ts';

/**
 * Damaged files of every kind: each gives one clear error or a network, soon. SKIPLANE_FUZZ says how many of each. Time is the
 * processor's, as a busy machine may let a file wait for seconds.
 */
const count = Number(process.env['SKIPLANE_FUZZ'] ?? 300);
const mostMilliseconds = 5_000;
const mostGrowth = 512 * 2 ** 20;

async function timm() {
  const file = await openModelFile(fixture('timm.safetensors'));
  return new Map([...file.tensors].map(([name, { shape, read }]) => [name, { shape, data: read() }]));
}

const floats = (...shape: number[]) => ({
  shape,
  data: new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(0.5),
});

function checkpoint(): Uint8Array {
  const model = modelConfig('resnet8v1', { imageSize: [8, 8] });
  const data = syntheticDataset({ count: 4, seed: 1, split: 'train' });
  const small = { ...data, images: data.images.subarray(0, 4 * 8 * 8 * 3), height: 8, width: 8 };
  const preprocessing = createPreprocessing(small);
  return encodeCheckpoint({
    model,
    classNames: data.classNames,
    preprocessing,
    parameters: initialParameters(model, 1),
    training: null,
  });
}

async function layerCheckpoint(): Promise<Uint8Array> {
  return encodeCheckpoint({ ...(await loadModel(fixture('short.keras'))), training: null });
}

/** With our own metadata, and an optimizer where there is a place for it. */
async function written(format: WrittenFormat): Promise<Uint8Array> {
  const loaded = await loadModel(fixture('short.keras'));
  const settings = { kind: 'sgd', momentum: 0.9, nesterov: false } as const;
  const optimizer = { settings, learningRate: 0.1, step: 1, state: {} };
  const { files } = await encodeModel({ ...loaded, optimizer }, format, 'file');
  return files.get('file') ?? new Uint8Array(0);
}

const onnx = onnxFile(
  [1, 3, 8, 8],
  [
    { op: 'Conv', inputs: ['x', 'filter', 'bias'], output: 'a', attrs: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } },
    { op: 'BatchNormalization', inputs: ['a', 'bias', 'bias', 'bias', 'bias'], output: 'b', attrs: { epsilon: 0.001 } },
    { op: 'Relu', inputs: ['b'], output: 'c' },
    { op: 'MaxPool', inputs: ['c'], output: 'd', attrs: { kernel_shape: [2, 2], strides: [2, 2] } },
    { op: 'Add', inputs: ['d', 'd'], output: 'e' },
    { op: 'Flatten', inputs: ['e'], output: 'f' },
    { op: 'Gemm', inputs: ['f', 'kernel'], output: 'y', attrs: { transB: 1 } },
  ],
  { filter: floats(4, 3, 3, 3), bias: floats(4), kernel: floats(5, 64) },
);

const beside = ['small-tfjs-shard1of2.bin', 'small-tfjs-shard2of2.bin', 'external.data'];
const shards = new Map(beside.map((name) => [name, fixture(name)]));

const sibling = (name: string) => Promise.resolve(shards.get(name) ?? new Uint8Array(0));

const files: readonly (readonly [kind: string, bytes: () => Uint8Array | Promise<Uint8Array>])[] = [
  ['checkpoint', checkpoint],
  ['checkpoint of layers', layerCheckpoint],
  ['safetensors', () => fixture('timm.safetensors')],
  ['PyTorch zip', async () => torchZip(await timm())],
  ['PyTorch zip, deflated', async () => torchZip(await timm(), { deflate: true })],
  ['PyTorch legacy', async () => torchLegacy(await timm())],
  ['ONNX', () => onnx],
  ['Keras .h5', () => fixture('short.h5')],
  ['Keras .h5, latest', () => fixture('latest.h5')],
  ['Keras .keras', () => fixture('short.keras')],
  ['Keras .keras, ZIP64', () => fixture('short-zip64.keras')],
  ['ONNX, external data', () => fixture('external.onnx')],
  ['TensorFlow.js', () => fixture('small-tfjs.json')],
  ['Keras .h5 of ours', () => written('keras-hdf5')],
  ['ONNX of ours', () => written('onnx')],
];

describe.each(files)('%s', (kind, read) => {
  test(`${count} damaged files give clear errors or networks, soon`, { timeout: 60_000 + count * 100 }, async () => {
    const bytes = await read();
    await loadModel(bytes, { sibling });
    const outcomes = { loaded: 0, refused: 0 };
    const wrong: string[] = [];
    let slowest = 0;
    const before = process.memoryUsage.rss();
    let peak = before;
    for (let seed = 0; seed < count; seed++) {
      const start = process.cpuUsage();
      try {
        await loadModel(mutated(bytes, kind, seed), { sibling });
        outcomes.loaded++;
      } catch (error) {
        outcomes.refused++;
        if (!(error instanceof SkiplaneError) || !['FORMAT', 'VALUE'].includes(error.code))
          wrong.push(
            `seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message).slice(0, 400) : String(error)}`,
          );
      }
      const { user, system } = process.cpuUsage(start);
      slowest = Math.max(slowest, (user + system) / 1000);
      peak = Math.max(peak, process.memoryUsage.rss());
    }
    const growth = peak - before;
    if (process.env['SKIPLANE_FUZZ'] !== undefined) {
      console.info(
        `${kind}: ${count} files, ${outcomes.loaded} loaded, ${outcomes.refused} refused, slowest ${slowest.toFixed(0)} ms, memory +${(growth / 2 ** 20).toFixed(0)} MiB`,
      );
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(outcomes.refused).toBeGreaterThan(count / 4);
    expect(slowest).toBeLessThan(mostMilliseconds);
    expect(growth).toBeLessThan(mostGrowth);
  });
});
