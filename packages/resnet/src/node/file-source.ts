import { closeSync, openSync, readSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { ByteSource } from '../byte-source.ts';
import { StorageError, storageError } from './storage-error.ts';

/** Node reads less than 2 GiB at once. */
const mostAtOnce = 2 ** 30;
/** Smaller files are read as a whole, since opening one for every tensor takes longer. */
const smallBytes = 2 ** 24;

/** A file whose bytes are read when they are asked for, unless it is small. @throws {StorageError} when it cannot be read */
export async function fileSource(path: string): Promise<ByteSource> {
  try {
    const { size } = await stat(path);
    if (size <= smallBytes) return readRange(path, 0, size);
    return { length: size, subarray: (from, to) => readRange(path, from, Math.min(to, size)) };
  } catch (error) {
    throw storageError('cannot read', path, error);
  }
}

function readRange(path: string, from: number, to: number): Uint8Array {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const bytes = new Uint8Array(to - from);
    for (let done = 0; done < bytes.length;) {
      const read = readSync(file, bytes, done, Math.min(mostAtOnce, bytes.length - done), from + done);
      if (read === 0) throw new StorageError(`cannot read '${path}': it ends at byte ${from + done} by now.`, { path });
      done += read;
    }
    return bytes;
  } catch (error) {
    throw error instanceof StorageError ? error : storageError('cannot read', path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
