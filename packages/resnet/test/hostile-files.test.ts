import { FormatError } from '@skiplane/core';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { encodeSafetensors } from '../src/checkpoint/safetensors.ts';
import { loadModel, openModelFile } from '../src/index.ts';
import { fixture } from './support/foreign.ts';
import { onnxFile } from './support/onnx-files.ts';
import { torchZip } from './support/torch-files.ts';

const one = { shape: [1], data: new Float32Array(1) };

async function timm() {
  const file = await openModelFile(fixture('timm.safetensors'));
  return new Map([...file.tensors].map(([name, { shape, read }]) => [name, { shape, data: read() }]));
}

/** A copy with a little-endian number put at a place, counted from the end where it is negative. */
function with32(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(at < 0 ? copy.length + at : at, value, true);
  return copy;
}

function find(bytes: Uint8Array, text: string): number {
  return Buffer.from(bytes).indexOf(text);
}

const zeros = (count: number): Uint8Array => new Uint8Array(count);
const archive = (files: Record<string, Uint8Array>): Uint8Array => zipSync(files, { level: 9 });

const cases: readonly (readonly [
  what: string,
  bytes: () => Uint8Array | Promise<Uint8Array>,
  message: string | RegExp,
])[] = [
  ['an empty file', () => zeros(0), 'no file of a known kind'],
  [
    'another kind of file',
    () => new TextEncoder().encode('#!/bin/sh\nrm -rf /\n'),
    'no file of a known kind: its first bytes are 23 21',
  ],
  ['an archive of something else', () => archive({ 'a.txt': zeros(10) }), 'neither a Keras model nor PyTorch tensors'],
  ['an archive without its end', async () => (await zipOf()).slice(0, -40), 'no directory at its end: it is truncated'],
  [
    'a zip bomb that declares its size',
    () => with32(archive({ 'data.pkl': zeros(1000) }), -22 - 54 + 24, 0xffff_fff0),
    /would unpack from \d+ to 4294967280 bytes/,
  ],
  [
    'a zip bomb that declares less than it is',
    () => with32(archive({ 'data.pkl': zeros(60_000) }), -22 - 54 + 24, 100),
    'unpacks to more than the 100 bytes it declares',
  ],
  [
    'files of an archive that lie on each other',
    async () => {
      const bytes = await zipOf();
      // The second entry of the directory is said to begin where the first does.
      const first = find(bytes, 'PK\u0001\u0002');
      const second = first + 1 + Buffer.from(bytes.subarray(first + 1)).indexOf('PK\u0001\u0002');
      return with32(bytes, second + 42, 0);
    },
    /overlap|does not begin/,
  ],
  [
    'a pickle that calls code',
    async () => torchZip(await timm(), { rebuild: ['os', 'system'] }),
    "its pickle asks for 'os.system', and only tensors, numbers, texts, lists and dictionaries are built",
  ],
  [
    'a pickle that calls code by another way',
    () =>
      archive({
        'a/data.pkl': Uint8Array.from([
          0x80, 4, 0x8c, 2, 0x6f, 0x73, 0x8c, 4, 0x65, 0x78, 0x65, 0x63, 0x93, 0x29, 0x52, 0x2e,
        ]),
      }),
    "its pickle asks for 'os.exec'",
  ],
  [
    'a tensor larger than its storage',
    () => torchZip(new Map([['conv1.weight', { shape: [1000, 1000], data: new Float32Array(1) }]])),
    /'conv1\.weight' \[1000,1000\].* does not fit its 1 elements/,
  ],
  [
    'a shape of a billion billion elements',
    () => torchZip(new Map([['conv1.weight', { shape: [1e9, 1e9], data: new Float32Array(1) }]])),
    "tensor 'conv1.weight' has the shape [1000000000,1000000000]",
  ],
  [
    'weights that are no numbers',
    async () => torchZip((await timm()).set('fc.bias', { shape: [5], data: new Float32Array(5).fill(Number.NaN) })),
    "'fc.bias' holds NaN or infinite values",
  ],
  [
    'safetensors that overlap',
    () => {
      const bytes = encodeSafetensors({
        tensors: new Map([
          ['a', one],
          ['b', one],
        ]),
        metadata: {},
      });
      const text = Buffer.from(bytes);
      text.write('[0,4]', text.indexOf('[4,8]'));
      return new Uint8Array(text);
    },
    'they must neither overlap nor leave a gap',
  ],
  ['an ONNX file that ends early', () => onnx().slice(0, 60), /not a valid|no valid ONNX/],
  [
    'two ONNX tensors of one name',
    () => {
      const bytes = Buffer.from(onnx());
      for (let at = bytes.indexOf('kernel2'); at >= 0; at = bytes.indexOf('kernel2', at)) bytes.write('kernel1', at);
      return new Uint8Array(bytes);
    },
    "two tensors named 'kernel1'",
  ],
  ['an HDF5 file that ends early', () => fixture('short.h5').slice(0, 9000), 'it is truncated'],
  [
    'JSON that is nested deeply',
    () =>
      new TextEncoder().encode(
        `{"modelTopology":{"class_name":"Sequential","config":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`,
      ),
    /./,
  ],
  [
    'a shard out of the folder',
    () => new TextEncoder().encode(JSON.stringify(outside)),
    "'../../secret' does not lie beside it",
  ],
];

const outside = {
  modelTopology: { class_name: 'Sequential', config: { layers: [] } },
  weightsManifest: [{ paths: ['../../secret'], weights: [] }],
};

const zipOf = async () => torchZip(await timm());

const onnx = () =>
  onnxFile([1, 3, 4, 4], [{ op: 'Flatten', inputs: ['x'], output: 'y' }], { kernel1: one, kernel2: one });

describe('a hostile file is refused with one clear error', () => {
  test.each(cases)('%s', async (_, read, message) => {
    const loading = loadModel(await read(), { sibling: () => Promise.reject(new Error('nothing is read')) });
    await expect(loading).rejects.toThrow(FormatError);
    await expect(loading).rejects.toThrow(message);
  });
});
