import { FormatError } from '@skiplane/core';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from '../src/index.ts';

/** A file of the given header text and data. */
function fileOf(
  header: string,
  data: Uint8Array = new Uint8Array(0),
  length = new TextEncoder().encode(header).length,
): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const tensor = (shape: readonly number[], from: number, to: number, dtype = 'F32'): string =>
  JSON.stringify({ dtype, shape, data_offsets: [from, to] });

const sample = new Map<string, NamedTensor>([
  ['b/second', { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-40, 3e38) }],
  ['a/scalar', { shape: [], data: Float32Array.of(42) }],
  ['c/empty', { shape: [0, 4], data: new Float32Array(0) }],
]);

describe('safetensors', () => {
  it('come back as they were', () => {
    const { tensors, metadata } = decodeSafetensors(
      encodeSafetensors({ tensors: sample, metadata: { z: '1', a: 'ü "quoted" \\' } }),
    );
    expect(metadata).toEqual({ z: '1', a: 'ü "quoted" \\' });
    expect([...tensors.keys()]).toEqual(['a/scalar', 'b/second', 'c/empty']);
    for (const [name, { shape, data }] of sample) expect(tensors.get(name)).toEqual({ shape, data });
  });

  it('are the same bytes whatever the order of names and keys', () => {
    const bytes = encodeSafetensors({ tensors: sample, metadata: { z: '1', a: '2' } });
    expect(encodeSafetensors({ tensors: new Map([...sample].toReversed()), metadata: { a: '2', z: '1' } })).toEqual(
      bytes,
    );
    expect(new DataView(bytes.buffer).getBigUint64(0, true) % 8n).toBe(0n);
    const header = new TextDecoder().decode(bytes.subarray(8, bytes.length - 28)).trimEnd();
    expect(header).toBe(
      '{"__metadata__":{"a":"2","z":"1"},"a/scalar":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b/second":{"dtype":"F32","shape":[2,3],"data_offsets":[4,28]},"c/empty":{"dtype":"F32","shape":[0,4],"data_offsets":[28,28]}}',
    );
  });

  it('can be read from the middle of a buffer', () => {
    const bytes = encodeSafetensors({ tensors: sample, metadata: {} });
    const shifted = new Uint8Array(bytes.length + 13);
    shifted.set(bytes, 13);
    expect(decodeSafetensors(shifted.subarray(13)).tensors.get('b/second')?.data[2]).toBe(3.5);
  });

  it('accept what the format allows and the writer does not do', () => {
    const header = `{ "y" : ${tensor([1], 4, 8)} ,\n "x":${tensor([1], 0, 4)}, "__metadata__":{} }   `;
    const { tensors } = decodeSafetensors(fileOf(header, new Uint8Array(Float32Array.of(1, 2).buffer)));
    expect(tensors.get('y')?.data[0]).toBe(2);
  });

  const four = new Uint8Array(4);
  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), '0 bytes, fewer than the 8'],
    ['a cut length', new Uint8Array(7), '7 bytes, fewer than the 8'],
    ['a huge header', fileOf('{}', four, 2 ** 40), 'more than the 100000000 allowed'],
    ['a header longer than the file', fileOf('{}', four, 50), 'the file only 14: it is truncated'],
    ['a header that is no JSON', fileOf('{"x":', four), 'no JSON text'],
    [
      'a header that is no UTF-8',
      (() => {
        const bytes = fileOf('{"x":1}');
        bytes[10] = 0xff;
        return bytes;
      })(),
      'no JSON text',
    ],
    ['a header that is an array', fileOf('[]'), 'no JSON object'],
    ['a header that begins with a space', fileOf(' {}'), 'no JSON object'],
    [
      'two tensors of one name',
      fileOf(`{"x":${tensor([1], 0, 4)},"x"      ${' '.repeat(40)}:${tensor([1], 0, 4)}}`, four),
      "two entries named 'x'",
    ],
    [
      'one name written in two ways',
      fileOf(`{"x":${tensor([1], 0, 4)},"\\u0078":${tensor([1], 0, 4)}}`, four),
      "two entries named 'x'",
    ],
    [
      'another element type',
      fileOf(`{"x":${tensor([1], 0, 2, 'F16')}}`, new Uint8Array(2)),
      'only F32 and I8 tensors can be read',
    ],
    ['a negative size', fileOf(`{"x":${tensor([-1], 0, 4)}}`, four), 'x.shape.0'],
    ['a fractional size', fileOf(`{"x":${tensor([0.5], 0, 2)}}`, four), 'x.shape.0'],
    [
      'offsets that are no pair',
      fileOf('{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}', four),
      'x.data_offsets',
    ],
    ['an unknown key', fileOf('{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"extra":1}}', four), 'extra'],
    ['a tensor that is a number', fileOf('{"x":1}'), 'x'],
    ['metadata that is no text', fileOf('{"__metadata__":{"a":1}}'), '__metadata__.a'],
    ['a shape that does not fit its bytes', fileOf(`{"x":${tensor([2], 0, 4)}}`, four), 'needs 8 bytes, but has 4'],
    ['a shape beyond all bounds', fileOf(`{"x":${tensor([2 ** 40, 2 ** 40], 0, 4)}}`, four), 'bytes, but has 4'],
    [
      'tensors that overlap',
      fileOf(`{"x":${tensor([2], 0, 8)},"y":${tensor([1], 4, 8)}}`, new Uint8Array(8)),
      "'y' begins at byte 4 of the data, but the one before it ends at 8",
    ],
    [
      'a gap between tensors',
      fileOf(`{"x":${tensor([1], 0, 4)},"y":${tensor([1], 8, 12)}}`, new Uint8Array(12)),
      "'y' begins at byte 8",
    ],
    ['a gap before the first', fileOf(`{"x":${tensor([1], 4, 8)}}`, new Uint8Array(8)), "'x' begins at byte 4"],
    ['offsets in the wrong order', fileOf(`{"x":${tensor([1], 0, -4)}}`, four), 'x.data_offsets.1'],
    ['data that is cut', fileOf(`{"x":${tensor([2], 0, 8)}}`, four), 'it is truncated'],
    ['trailing bytes', fileOf(`{"x":${tensor([1], 0, 4)}}`, new Uint8Array(9)), '5 bytes follow the last tensor'],
  ])('refuse %s', (_what, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(FormatError);
    expect(() => decodeSafetensors(bytes)).toThrow(message);
  });

  it('refuse every prefix of a file', () => {
    const bytes = encodeSafetensors({ tensors: sample, metadata: { a: 'b' } });
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeSafetensors(bytes.subarray(0, length))).toThrow(FormatError);
  });

  it('are not written when a tensor does not fit its shape', () => {
    expect(() =>
      encodeSafetensors({ tensors: new Map([['x', { shape: [3], data: new Float32Array(2) }]]), metadata: {} }),
    ).toThrow("tensor 'x' cannot be written: 2 values for the shape [3]");
  });
});
