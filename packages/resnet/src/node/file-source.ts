import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { ByteSource } from '../byte-source.ts';
import { StorageError, storageError } from './storage-error.ts';

/** Node reads less than 2 GiB at once. */
const mostAtOnce = 2 ** 30;
/** Smaller files are read as a whole, which takes one read instead of one for every tensor. */
const smallBytes = 2 ** 24;

/** Closes files that nothing reads any more. */
const unused = new FinalizationRegistry<number>(closeSync);

/**
 * A file whose bytes are read when they are asked for, unless it is small. It stays open meanwhile: one that is replaced, as
 * training replaces its checkpoints, is read as it was.
 * @throws {StorageError} when it cannot be read
 */
export function fileSource(path: string): ByteSource {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const { size } = fstatSync(file);
    if (size <= smallBytes) {
      const bytes = readRange(path, file, 0, size);
      closeSync(file);
      return bytes;
    }
    const open = file;
    const source: ByteSource = {
      length: size,
      subarray: (from, to) => readRange(path, open, from, Math.min(to, size)),
    };
    unused.register(source, open);
    return source;
  } catch (error) {
    if (file !== undefined) closeSync(file);
    throw error instanceof StorageError ? error : storageError('cannot read', path, error);
  }
}

/** The same of one of many files, which is open only while it is read. @throws {StorageError} when it cannot be read */
export function shardSource(path: string): ByteSource {
  try {
    const { size } = statSync(path);
    return { length: size, subarray: (from, to) => readOnce(path, from, Math.min(to, size)) };
  } catch (error) {
    throw storageError('cannot read', path, error);
  }
}

function readOnce(path: string, from: number, to: number): Uint8Array {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    return readRange(path, file, from, to);
  } catch (error) {
    throw error instanceof StorageError ? error : storageError('cannot read', path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function readRange(path: string, file: number, from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(to - from);
  try {
    for (let done = 0; done < bytes.length;) {
      const read = readSync(file, bytes, done, Math.min(mostAtOnce, bytes.length - done), from + done);
      if (read === 0) throw new StorageError(`cannot read '${path}': it ends at byte ${from + done} by now.`, { path });
      done += read;
    }
    return bytes;
  } catch (error) {
    throw error instanceof StorageError ? error : storageError('cannot read', path, error);
  }
}
