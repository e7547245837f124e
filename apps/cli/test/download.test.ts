import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { download, type DownloadOptions } from '../src/data/download.ts';
import { serveFile, sha256, type Behaviour, type FileServer } from './file-server.ts';

const bytes = randomBytes(300_000);
let folder: string;
let target: string;
let server: FileServer;
let notes: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skiplane-download-'));
  target = join(folder, 'cache', 'file.tar.gz');
  notes = [];
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function start(behaviour: Partial<Behaviour> = {}): Promise<void> {
  server = await serveFile({ bytes, etag: '"one"', ...behaviour });
}

function fetchFile(options: Partial<DownloadOptions> = {}): ReturnType<typeof download> {
  const usual = { url: server.url, sha256: sha256(bytes), target, pauseMilliseconds: 1 };
  return download({ ...usual, onNote: (text) => void notes.push(text), ...options });
}

function expectWhole(): void {
  expect(readFileSync(target).equals(bytes)).toBe(true);
  expect(readdirSync(dirname(target))).toEqual(['file.tar.gz']);
}

describe('download', () => {
  test('fetches a file, reports progress, and does not fetch it twice', async () => {
    await start();
    const progress: (readonly [number, number | undefined])[] = [];
    const first = await fetchFile({ onProgress: (received, total) => progress.push([received, total]) });
    expect(first).toEqual({ path: target, bytes: bytes.length, existed: false });
    expect(progress.at(-1)).toEqual([bytes.length, bytes.length]);
    expectWhole();
    expect(await fetchFile()).toEqual({ path: target, bytes: bytes.length, existed: true });
    expect(server.ranges).toEqual(['']);
  });

  test('goes on by itself after a cut connection', async () => {
    await start({ cutAfter: 100_000, cuts: 1 });
    await fetchFile();
    expectWhole();
    expect(server.ranges).toEqual(['', 'bytes=100000-']);
    expect(notes.join()).toContain('cut');
  });

  test('goes on in a later run after it gave up', async () => {
    await start({ cutAfter: 100_000, cuts: 1 });
    await expect(fetchFile({ tries: 1 })).rejects.toThrow(/100 kB are kept: run the command again/);
    expect(existsSync(target)).toBe(false);
    await fetchFile();
    expectWhole();
    expect(server.ranges).toEqual(['', 'bytes=100000-']);
  });

  test('gives up after some tries without a byte', async () => {
    await start({ status: 503 });
    await expect(fetchFile({ tries: 3 })).rejects.toThrow(/cannot download http.*status 503/);
    expect(server.ranges).toHaveLength(3);
  });

  test('starts over where the server knows no ranges', async () => {
    await start({ cutAfter: 100_000, cuts: 1, ignoreRange: true });
    await fetchFile();
    expectWhole();
  });

  test.each([{ ignoreIfRange: false }, { ignoreIfRange: true }])(
    'starts over when the file has changed meanwhile, %o',
    async ({ ignoreIfRange }) => {
      await start({ bytes: randomBytes(300_000), cutAfter: 100_000, cuts: 1, ignoreIfRange });
      await expect(fetchFile({ tries: 1 })).rejects.toThrow('cut');
      Object.assign(server.behaviour, { bytes, etag: '"two"' });
      await fetchFile();
      expectWhole();
    },
  );

  test('starts over when joined parts do not have the right sum', async () => {
    server = await serveFile({ bytes: randomBytes(300_000), cutAfter: 100_000, cuts: 1 });
    await expect(fetchFile({ tries: 1 })).rejects.toThrow('cut');
    server.behaviour.bytes = bytes;
    await fetchFile();
    expectWhole();
    expect(notes.join()).toContain('starting over');
    expect(server.ranges).toEqual(['', 'bytes=100000-', '']);
  });

  test('finishes a part that was whole already', async () => {
    await start({ cutAfter: 100_000, cuts: 1 });
    await expect(fetchFile({ tries: 1 })).rejects.toThrow('cut');
    writeFileSync(`${target}.part`, bytes);
    await fetchFile();
    expectWhole();
  });

  test('keeps nothing of a file with a wrong sum', async () => {
    await start({ bytes: randomBytes(1000) });
    await expect(fetchFile()).rejects.toThrow(/has the SHA-256 sum [0-9a-f]{64}, but it must be/);
    expect(readdirSync(dirname(target))).toEqual([]);
  });

  test('replaces a file with a wrong sum', async () => {
    await start();
    await fetchFile();
    writeFileSync(target, 'something else');
    await fetchFile();
    expectWhole();
    expect(notes.join()).toContain('will be replaced');
  });

  test('does not unpack what the server labels as an encoding', async () => {
    const packed = gzipSync('text');
    await start({ bytes: packed, encoding: 'x-gzip' });
    await fetchFile({ sha256: createHash('sha256').update(packed).digest('hex') });
    expect(readFileSync(target).equals(packed)).toBe(true);
  });

  test('follows redirects', async () => {
    await start({ redirectTo: '/elsewhere' });
    await fetchFile();
    expectWhole();
  });

  test('names the address and the reason of what cannot be fetched', async () => {
    await start({ status: 404 });
    await expect(fetchFile()).rejects.toThrow(`cannot download ${server.url}: the server answers with status 404.`);
    expect(server.ranges).toHaveLength(1);
    await server.close();
    await expect(fetchFile()).rejects.toThrow('the server refuses connections');
    await start();
  });

  test('stops at an interrupt and keeps the part', async () => {
    await start({ slowly: true });
    const controller = new AbortController();
    const running = fetchFile({ signal: controller.signal, onProgress: () => controller.abort() });
    await expect(running).rejects.toThrow(/abort/i);
    expect(readFileSync(`${target}.part`).length).toBeGreaterThan(0);
    server.behaviour.slowly = false;
    await fetchFile();
    expectWhole();
    expect(server.ranges[1]).toMatch(/^bytes=\d+-$/);
  });
});
