import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FormatError } from '@skiplane/core';
import { packTar } from 'modern-tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cifar10ClassNames,
  cifar10FromArchive,
  createPreprocessing,
  parseCifar10Batch,
  takeDataset,
} from '../src/index.ts';
import { loadCifar10, StorageError } from '../src/node/index.ts';
import { cifarFile, cifarFiles, realCifar } from './support/cifar.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skiplane-cifar-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function writeAll(files: ReadonlyMap<string, Uint8Array>, into = folder): Promise<void> {
  await mkdir(into, { recursive: true });
  for (const [name, bytes] of files) await writeFile(join(into, name), bytes);
}

const tarOf = (files: ReadonlyMap<string, Uint8Array>, prefix = 'cifar-10-batches-bin/'): Promise<Uint8Array> =>
  packTar([
    { header: { name: `${prefix}readme.html`, size: 4, type: 'file' as const }, body: 'text' },
    ...[...files].map(([name, body]) => ({
      header: { name: prefix + name, size: body.length, type: 'file' as const },
      body,
    })),
  ]);

/** The images of a file, one value at a time. */
function decodedPlainly(bytes: Uint8Array): Uint8Array {
  const records = bytes.length / 3073;
  const images = new Uint8Array(records * 3072);
  for (let n = 0; n < records; n++)
    for (let row = 0; row < 32; row++)
      for (let column = 0; column < 32; column++)
        for (let channel = 0; channel < 3; channel++)
          images[n * 3072 + (row * 32 + column) * 3 + channel] =
            bytes[n * 3073 + 1 + channel * 1024 + row * 32 + column] ?? 0;
  return images;
}

describe('parseCifar10Batch', () => {
  it('turns planes into pixels', () => {
    const bytes = cifarFile('a', 7);
    const data = parseCifar10Batch(bytes, 'a.bin');
    expect(data).toMatchObject({
      name: 'a.bin',
      count: 7,
      height: 32,
      width: 32,
      channels: 3,
      classNames: cifar10ClassNames,
    });
    expect([...data.labels]).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(data.images).toEqual(decodedPlainly(bytes));
  });

  it.each([
    ['no record', new Uint8Array(0), 'x.bin is empty'],
    [
      'half a record',
      cifarFile('a', 2).subarray(0, 5000),
      'x.bin has 5000 bytes, which is no multiple of 3073 (1927 left over)',
    ],
    [
      'CIFAR-100',
      cifarFile('a', 3).map((byte, i) => (i === 3073 ? 55 : byte)),
      'x.bin has 1 labels above 9, the first being 55 in record 1',
    ],
  ])('refuses %s', (_what, bytes, message) => {
    expect(() => parseCifar10Batch(bytes, 'x.bin')).toThrow(FormatError);
    expect(() => parseCifar10Batch(bytes, 'x.bin')).toThrow(message);
  });
});

describe('loadCifar10 of a folder', () => {
  it.each(['', 'cifar-10-batches-bin'])("with the files in '%s'", async (inside) => {
    const files = cifarFiles(6);
    await writeAll(files, join(folder, inside));
    const { train, test } = await loadCifar10(folder);
    expect(train.count).toBe(30);
    expect(test.count).toBe(3);
    expect(train.images.subarray(12 * 3072, 18 * 3072)).toEqual(
      decodedPlainly(files.get('data_batch_3.bin') ?? new Uint8Array()),
    );
    expect(test.images).toEqual(decodedPlainly(files.get('test_batch.bin') ?? new Uint8Array()));
    expect(train.images.buffer.byteLength).toBe(30 * 3072);
  });

  it.each([
    [0, 0],
    [4, 1],
    [15, 3],
    [100, 100],
  ])('keeps the first %i images for training and %i for tests, and no memory for others', async (train, test) => {
    const files = cifarFiles(4).set('data_batch_2.bin', cifarFile('b', 9));
    await writeAll(files);
    const all = await loadCifar10(folder);
    const some = await loadCifar10(folder, { train, test });
    for (const [kept, whole, limit] of [
      [some.train, all.train, train] as const,
      [some.test, all.test, test] as const,
    ]) {
      expect(kept).toEqual(takeDataset(whole, 0, Math.min(limit, whole.count)));
      expect(kept.images.buffer.byteLength).toBe(kept.count * 3072);
    }
  });

  it('accepts files of different numbers of records', async () => {
    const files = cifarFiles(4).set('data_batch_2.bin', cifarFile('b', 9));
    await writeAll(files);
    const { train } = await loadCifar10(folder);
    expect(train.count).toBe(4 * 4 + 9);
    expect(train.images.subarray(4 * 3072, 13 * 3072)).toEqual(
      decodedPlainly(files.get('data_batch_2.bin') ?? new Uint8Array()),
    );
    expect([...train.labels.subarray(12, 16)]).toEqual([8, 0, 1, 2]);
  });

  it('lists all that is wrong in one error', async () => {
    const files = cifarFiles(4);
    files.delete('data_batch_3.bin');
    files.delete('test_batch.bin');
    files.set('data_batch_1.bin', new Uint8Array(0));
    files.set('data_batch_2.bin', cifarFile('b', 2).subarray(0, 3080));
    files.set('data_batch_4.bin', cifarFile('c', 2).fill(77, 3073, 3074));
    await writeAll(files);
    const error = await loadCifar10(folder).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FormatError);
    const { message } = error as FormatError;
    for (const part of [
      'data_batch_1.bin is empty',
      'data_batch_2.bin has 3080 bytes',
      'labels above 9',
      'data_batch_3.bin is missing',
      'test_batch.bin is missing',
      folder,
    ]) {
      expect(message).toContain(part);
    }
    expect((error as FormatError).details['problems']).toHaveLength(5);
  });

  it('says when there is nothing', async () => {
    await expect(loadCifar10(folder)).rejects.toThrow('data_batch_1.bin is missing');
    await expect(loadCifar10(join(folder, 'none'))).rejects.toThrow(StorageError);
    await expect(loadCifar10(join(folder, 'none'))).rejects.toThrow('it does not exist');
  });
});

describe('the archive', () => {
  it.each([
    ['.tar.gz', (tar: Uint8Array) => gzipSync(tar)],
    ['.tar', (tar: Uint8Array) => tar],
  ])('%s, from bytes and from a file', async (suffix, pack) => {
    // Any order will do: the official archive is not sorted either.
    const files = new Map([...cifarFiles(8)].toReversed());
    const bytes = pack(await tarOf(files));
    const path = join(folder, `cifar${suffix}`);
    await writeFile(path, bytes);
    for (const { train, test } of [await cifar10FromArchive(bytes), await loadCifar10(path)]) {
      expect(train.count).toBe(40);
      expect(test.count).toBe(4);
      expect(train.images.subarray(0, 8 * 3072)).toEqual(
        decodedPlainly(files.get('data_batch_1.bin') ?? new Uint8Array()),
      );
      expect(train.images.subarray(32 * 3072)).toEqual(
        decodedPlainly(files.get('data_batch_5.bin') ?? new Uint8Array()),
      );
    }
  });

  it('may arrive in pieces of any size', async () => {
    const bytes = await tarOf(cifarFiles(5));
    const whole = await cifar10FromArchive(bytes);
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += 997) controller.enqueue(bytes.slice(at, at + 997));
        controller.close();
      },
    });
    const pieces = await cifar10FromArchive(stream);
    expect(pieces.train.images).toEqual(whole.train.images);
    expect(pieces.test.labels).toEqual(whole.test.labels);
  });

  it('is refused when truncated or damaged, wherever it is cut', async () => {
    const tar = await tarOf(cifarFiles(3));
    const gzip = gzipSync(tar);
    const cut = [
      gzip.subarray(0, gzip.length - 1),
      gzip.subarray(0, gzip.length / 2),
      gzip.subarray(0, 5),
      tar.subarray(0, 40_000),
      new Uint8Array(0),
    ];
    const flipped = Uint8Array.from(gzip);
    flipped[Math.floor(gzip.length / 2)] = (flipped[Math.floor(gzip.length / 2)] ?? 0) ^ 255;
    for (const bytes of [...cut, flipped, new Uint8Array(5000).fill(65)]) {
      await expect(cifar10FromArchive(bytes, "'x.tar.gz'")).rejects.toThrow(FormatError);
      await expect(cifar10FromArchive(bytes, "'x.tar.gz'")).rejects.toThrow("'x.tar.gz'");
    }
    const path = join(folder, 'cut.tar.gz');
    await writeFile(path, gzip.subarray(0, gzip.length / 2));
    await expect(loadCifar10(path)).rejects.toThrow('truncated or damaged');
  });

  it('lists missing and repeated files, and knows the Python version', async () => {
    const files = cifarFiles(2);
    files.delete('data_batch_5.bin');
    await expect(cifar10FromArchive(await tarOf(files))).rejects.toThrow('data_batch_5.bin is missing');
    const python = new Map([['data_batch_1', new Uint8Array(100)]]);
    await expect(cifar10FromArchive(await tarOf(python, 'cifar-10-batches-py/'))).rejects.toThrow(
      'belongs to the Python version',
    );
    const twice = await packTar(
      ['a/', 'b/'].map((prefix) => ({
        header: { name: `${prefix}test_batch.bin`, size: 3073, type: 'file' as const },
        body: new Uint8Array(3073),
      })),
    );
    await expect(cifar10FromArchive(twice)).rejects.toThrow('test_batch.bin is there twice');
  });
});

describe.skipIf(realCifar === undefined)(`the real data (skipped where ../shared/cifar10 is absent)`, () => {
  it('begins with the known labels', async () => {
    const { train, test } = await loadCifar10(realCifar ?? '');
    expect([train.count, test.count]).toEqual([2000, 1000]);
    expect([...train.labels.subarray(0, 10)]).toEqual([6, 9, 9, 4, 1, 1, 2, 7, 8, 3]);
    expect([...test.labels.subarray(0, 10)]).toEqual([3, 8, 8, 0, 6, 6, 1, 6, 3, 1]);
    const { mean } = createPreprocessing(train);
    const channelMean = (channel: number): number =>
      mean.reduce((sum, value, i) => sum + (i % 3 === channel ? value : 0), 0) / 1024;
    expect(channelMean(0)).toBeCloseTo(0.4914, 1);
    expect(channelMean(1)).toBeCloseTo(0.4822, 1);
    expect(channelMean(2)).toBeCloseTo(0.4465, 1);
  });
});
