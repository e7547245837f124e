import { readFile } from 'node:fs/promises';
import { FormatError } from '@skiplane/core';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { decodeCheckpoint } from '../checkpoint/decode.ts';
import { encodeCheckpoint } from '../checkpoint/encode.ts';
import { storageError } from './storage-error.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

/** Writes a checkpoint file, whole or not at all. @throws {StorageError} when it cannot be written */
export async function saveCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  await writeFileAtomic(path, encodeCheckpoint(checkpoint));
}

/**
 * Reads a checkpoint file.
 * @throws {StorageError} when it cannot be read
 * @throws {FormatError} when it is damaged, or no checkpoint
 */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw storageError('cannot read checkpoint', path, error);
  }
  try {
    return decodeCheckpoint(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`checkpoint '${path}': ${error.message}`, { ...error.details, path }, error);
  }
}
