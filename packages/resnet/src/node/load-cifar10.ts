import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { SkiplaneError } from '@skiplane/core';
import { cifar10Error, cifar10Files, cifar10RecordBytes, cifar10TestFile } from '../data/cifar10.ts';
import { cifar10FromArchive } from '../data/cifar10-archive.ts';
import { Cifar10Collector, type Cifar10 } from '../data/cifar10-collector.ts';
import { errorCode, storageError } from './storage-error.ts';

/** How many images of each set are wanted, the first ones (default: all). An archive is read whole all the same. */
export interface Cifar10Limits {
  readonly train?: number | undefined;
  readonly test?: number | undefined;
}

const folderInArchive = 'cifar-10-batches-bin';
const chunkBytes = 1 << 20;

/**
 * Loads CIFAR-10's binary version from a folder that holds the .bin files, or a folder `cifar-10-batches-bin` with them,
 * or from the archive `cifar-10-binary.tar.gz` itself. Files are streamed: only the decoded images are kept, and of a
 * folder only those that are wanted.
 * @throws {StorageError} when the path cannot be read
 * @throws {FormatError} when files are missing, truncated or damaged; all problems in one error
 */
export async function loadCifar10(path: string, limits: Cifar10Limits = {}): Promise<Cifar10> {
  try {
    return (await stat(path)).isDirectory() ? await loadFolder(path, limits) : await loadArchive(path);
  } catch (error) {
    if (error instanceof SkiplaneError || errorCode(error) === undefined) throw error;
    throw storageError('cannot read CIFAR-10 from', path, error);
  }
}

async function loadFolder(path: string, limits: Cifar10Limits): Promise<Cifar10> {
  const inside = join(path, folderInArchive);
  const outside = await fileSizes(path);
  const folder = outside.size === 0 && (await isDirectory(inside)) ? inside : path;
  const sizes = folder === path ? outside : await fileSizes(inside);
  const collector = new Cifar10Collector(`folder '${folder}'`, wantedImages(sizes, limits));
  for (const [file, bytes] of sizes) {
    await collector.add(file, bytes, createReadStream(join(folder, file), { highWaterMark: chunkBytes }));
  }
  return collector.finish();
}

/** How many images of each file are wanted. */
function wantedImages(
  sizes: ReadonlyMap<string, number>,
  { train = Infinity, test = Infinity }: Cifar10Limits,
): ReadonlyMap<string, number> {
  let left = train;
  return new Map(
    cifar10Files.map((file) => {
      const count = Math.floor((sizes.get(file) ?? 0) / cifar10RecordBytes);
      if (file === cifar10TestFile) return [file, Math.min(count, test)];
      const wanted = Math.min(count, left);
      left -= wanted;
      return [file, wanted];
    }),
  );
}

async function loadArchive(path: string): Promise<Cifar10> {
  if (path.endsWith('.bin')) throw cifar10Error(`'${path}'`, ['it is a single file of six']);
  const stream = createReadStream(path, { highWaterMark: chunkBytes });
  try {
    return await cifar10FromArchive(Readable.toWeb(stream) as ReadableStream<Uint8Array>, `archive '${path}'`);
  } finally {
    stream.destroy();
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** Sizes of the files of the data set that a folder has. */
async function fileSizes(folder: string): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (const file of cifar10Files) {
    const found = await stat(join(folder, file)).catch(() => undefined);
    if (found?.isFile()) sizes.set(file, found.size);
  }
  return sizes;
}
