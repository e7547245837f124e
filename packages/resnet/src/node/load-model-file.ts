import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FormatError } from '@skiplane/core';
import type { ModelFile } from '../formats/model-file.ts';
import { openModelFile } from '../open-model-file.ts';
import type { ReadSibling } from '../formats/tfjs-layers.ts';
import { loadModel as loadAny, type LoadedModel, type LoadModelOptions, type ModelSource } from '../load-model.ts';
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
  const bytes = await readBytes(path);
  return await named(path, () => loadAny(bytes, { sibling: siblingOf(path), ...options }));
}

/** Opens a file of any known kind to look into it, and reads no tensor. @throws {StorageError} and {FormatError} like {@link loadModel} */
export async function openModelPath(path: string): Promise<{ readonly file: ModelFile; readonly bytes: Uint8Array }> {
  const bytes = await readBytes(path);
  return { file: await named(path, () => openModelFile(bytes, siblingOf(path))), bytes };
}

function pathOf(source: ModelSource): string | undefined {
  if (typeof source === 'string') return /^(?:https?|file):\/\//.test(source) ? pathOf(new URL(source)) : source;
  return source instanceof URL && source.protocol === 'file:' ? fileURLToPath(source) : undefined;
}

function siblingOf(path: string): ReadSibling {
  return (name) => readBytes(join(dirname(path), name));
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw storageError('cannot read', path, error);
  }
}

async function named<T>(path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`cannot load '${path}': ${error.message}`, { ...error.details, path }, error);
  }
}
