import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { openModelFile, type ByteSource } from '../src/index.ts';
import { openModelPath } from '../src/node/index.ts';
import { fixture, fixturePath } from './support/foreign.ts';

const gib = 2 ** 30;

/** A file of which only the first bytes are there; those that are read are counted. */
function startingWith(head: Uint8Array, length: number): ByteSource & { read: () => number } {
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

test('of safetensors of 6 GiB only the header is read', async () => {
  const half = { dtype: 'F32', shape: [gib * 0.75] };
  const header = new TextEncoder().encode(
    JSON.stringify({
      __metadata__: { author: 'someone' },
      a: { ...half, data_offsets: [0, 3 * gib] },
      b: { ...half, data_offsets: [3 * gib, 6 * gib] },
    }),
  );
  const head = new Uint8Array(8 + header.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(header.length), true);
  head.set(header, 8);

  const source = startingWith(head, head.length + 6 * gib);
  const file = await openModelFile(source);
  expect([...file.tensors.values()]).toMatchObject([
    { name: 'a', shape: half.shape, dtype: 'float32' },
    { name: 'b', shape: half.shape, dtype: 'float32' },
  ]);
  expect(file.metadata).toEqual({ author: 'someone' });
  expect(() => file.network()).toThrow(`it has ${source.length} bytes, but networks are read from files of at most`);
  expect(source.read()).toBeLessThan(head.length + 32);
  await expect(openModelFile(startingWith(head, head.length + 5 * gib))).rejects.toThrow('it is truncated');
});

test('other kinds of 3 GiB are refused before they are read', async () => {
  const source = startingWith(fixture('small.h5'), 3 * gib);
  await expect(openModelFile(source)).rejects.toThrow('Of larger files, safetensors can be inspected.');
  expect(source.read()).toBeLessThan(32);
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
