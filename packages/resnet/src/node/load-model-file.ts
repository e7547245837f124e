import { createReadStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addressOf } from '../fetch-file.ts';
import type { ModelFile, OpenOptions } from '../formats/model-file.ts';
import { openModelFile } from '../open-model-file.ts';
import type { ReadSibling } from '../formats/sibling.ts';
import {
  loadModel as loadAny,
  loadSource,
  withSource,
  type LoadedModel,
  type LoadModelOptions,
  type ModelSource,
} from '../load-model.ts';
import { fileSource, shardSource } from './file-source.ts';
import { storageError } from './storage-error.ts';

/**
 * Loads a network from a path, and from all that `loadModel` of `@skiplane/resnet` takes; a text is a path, unless it begins
 * with `http://`, `https://` or `file://`.
 * @throws {StorageError} when the file cannot be read
 * @throws {FormatError} and {ValueError} like `loadModel` of `@skiplane/resnet`, with the path
 */
export async function loadModel(source: ModelSource, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const path = pathOf(source);
  if (path === undefined) return await loadAny(source, options);
  const bytes = fileSource(path);
  return await withSource(path, () => loadSource(bytes, { sibling: siblingOf(path), ...options }));
}

/** A file to look into. */
export interface OpenedPath {
  readonly file: ModelFile;
  /** How many it has. */
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Opens a file of any known kind and size to look into it: its directory is read, and no tensor.
 * @throws {StorageError} and {FormatError} like {@link loadModel}
 */
export async function openModelPath(path: string, options: OpenOptions = {}): Promise<OpenedPath> {
  const source = fileSource(path);
  const file = await withSource(path, () => openModelFile(source, { sibling: siblingOf(path), ...options }));
  return { file, bytes: source.length, sha256: await hashOf(path) };
}

/** Node takes milliseconds to load its cryptography, which only this needs. */
async function hashOf(path: string): Promise<string> {
  const { createHash } = await import('node:crypto');
  const { pipeline } = await import('node:stream/promises');
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  } catch (error) {
    throw storageError('cannot read', path, error);
  }
  return hash.digest('hex');
}

function pathOf(source: ModelSource): string | undefined {
  if (typeof source === 'string') return /^(?:https?|file):\/\//.test(source) ? pathOf(addressOf(source)) : source;
  return source instanceof URL && source.protocol === 'file:' ? fileURLToPath(source) : undefined;
}

function siblingOf(path: string): ReadSibling {
  return async (name) => shardSource(join(dirname(path), name));
}
