import { createHash } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  encodeModel,
  encodeSafetensors,
  initialParameters,
  modelConfig,
  openModelFile,
  type ByteSource,
  type WrittenFormat,
} from '../src/index.ts';
import { openModelPath } from '../src/node/index.ts';
import { fixture, fixturePath } from './support/foreign.ts';
import { torchLegacy, torchZip } from './support/torch-files.ts';

const gib = 2 ** 30;

/** A file of which only the first bytes are there; those that are read are counted. */
function counted(head: Uint8Array, length = head.length): ByteSource & { read: () => number } {
  let read = 0;
  return {
    length,
    subarray(from, to) {
      read += to - from;
      return head.subarray(from, to);
    },
    read: () => read,
  };
}

function safetensorsOf(shapes: Readonly<Record<string, readonly number[]>>): { head: Uint8Array; length: number } {
  let end = 0;
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const begin = end;
    end += 4 * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }];
  });
  const header = new TextEncoder().encode(
    JSON.stringify({ __metadata__: { author: 'someone' }, ...Object.fromEntries(entries) }),
  );
  const head = new Uint8Array(8 + header.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(header.length), true);
  head.set(header, 8);
  return { head, length: head.length + end };
}

/** Of a network of one unit, with PyTorch's names. */
function shapesOf(width: number, classes: number): Readonly<Record<string, readonly number[]>> {
  const norm = (name: string) =>
    Object.fromEntries(['weight', 'bias', 'running_mean', 'running_var'].map((part) => [`${name}.${part}`, [width]]));
  return {
    'conv1.weight': [width, 3, 3, 3],
    ...norm('bn1'),
    'layer1.0.conv1.weight': [width, width, 3, 3],
    ...norm('layer1.0.bn1'),
    'layer1.0.conv2.weight': [width, width, 3, 3],
    ...norm('layer1.0.bn2'),
    'fc.weight': [classes, width],
    'fc.bias': [classes],
  };
}

test('of safetensors of 6 GiB only the header is read; its network is listed, and too large to be loaded', async () => {
  const classes = 0.75 * 2 ** 21;
  const { head, length } = safetensorsOf(shapesOf(1024, classes));
  expect(length).toBeGreaterThan(6 * gib);
  const source = counted(head, length);
  const file = await openModelFile(source);
  expect(file.tensors.get('fc.weight')).toMatchObject({ shape: [classes, 1024], dtype: 'float32' });
  expect(file.metadata).toEqual({ author: 'someone' });
  const { model } = file.outline();
  expect(model).toMatchObject({ classes, layers: expect.any(Array) as unknown[] });
  expect(() => file.network()).toThrow(/network 'resnet4' has \d+ bytes, but at most 2147483647 are read/);
  expect(source.read()).toBeLessThan(head.length + 100);
  await expect(openModelFile(counted(head, length - gib))).rejects.toThrow('it is truncated');
});

/** A network of 5 MB, most of it in one tensor. */
const model = modelConfig('resnet8v1', { classes: 20_000 });
const parameters = initialParameters(model, 1);
const trained = { model, parameters, classNames: [], preprocessing: null };
const most = 5_000_000;

async function written(format: WrittenFormat): Promise<ReadonlyMap<string, Uint8Array>> {
  const { files } = await encodeModel(trained, format, 'file');
  return files;
}

const floats = (...shape: number[]) => ({
  shape,
  data: new Float32Array(shape.reduce((product, size) => product * size, 1)),
});
const torch = new Map(Object.entries(shapesOf(64, 20_000)).map(([name, shape]) => [name, floats(...shape)]));

const kinds: readonly (readonly [kind: string, files: () => Promise<ReadonlyMap<string, Uint8Array>>])[] = [
  ['Keras .h5', () => written('keras-hdf5')],
  ['Keras .keras', () => written('keras-zip')],
  ['ONNX', () => written('onnx')],
  ['TensorFlow.js', () => written('tfjs-layers')],
  ['PyTorch zip', () => Promise.resolve(new Map([['file', torchZip(torch)]]))],
  ['PyTorch legacy', () => Promise.resolve(new Map([['file', torchLegacy(torch)]]))],
];

test.each(kinds)('of %s the tensors are not read before they are asked for', async (_, make) => {
  const files = new Map([...(await make())].map(([name, bytes]) => [name, counted(bytes)] as const));
  const [first] = files.values();
  const read = () => [...files.values()].reduce((sum, source) => sum + source.read(), 0);
  const size = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  expect(size).toBeGreaterThan(most);
  const file = await openModelFile(first ?? expect.unreachable(), {
    sibling: (name) => Promise.resolve(files.get(name) ?? expect.unreachable()),
  });
  expect(file.outline().model.classes).toBe(20_000);
  expect(read()).toBeLessThan(most / 10);
  const network = file.network();
  expect(network.parameters.get('head/dense/kernel') ?? network.parameters.get('logits/kernel')).toHaveLength(
    64 * 20_000,
  );
  expect(read()).toBeGreaterThan(most);
});

test.each(['timm.safetensors', 'small.h5', 'small-tfjs.json'])(
  '%s from a path is what it is as bytes',
  async (name) => {
    const opened = await openModelPath(fixturePath(name));
    const bytes = fixture(name);
    expect(opened).toMatchObject({
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
    const { read } = [...opened.file.tensors.values()].at(-1) ?? expect.unreachable();
    expect(read()).toBeInstanceOf(Float32Array);
    const whole = name.endsWith('.json') ? opened.file : await openModelFile(bytes);
    expect(opened.file.network()).toEqual(whole.network());
  },
);

test('a large file that is replaced while it is read is read as it was', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skiplane-large-'));
  const path = join(folder, 'a.safetensors');
  const write = (value: number): void => {
    const tensors = new Map([['a', { shape: [2 ** 22 + 1], data: new Float32Array(2 ** 22 + 1).fill(value) }]]);
    writeFileSync(`${path}.new`, encodeSafetensors({ tensors, metadata: {} }));
    renameSync(`${path}.new`, path);
  };
  write(1);
  const { file } = await openModelPath(path);
  write(2);
  expect(file.tensors.get('a')?.read().at(-1)).toBe(1);
  rmSync(folder, { recursive: true });
});
