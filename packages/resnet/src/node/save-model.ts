import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ValueError } from '@skiplane/core';
import { encodeModel, type SavableModel, type WrittenFormat } from '../encode-model.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

const formatsOfEndings: Readonly<Record<string, WrittenFormat>> = {
  '.safetensors': 'skiplane-checkpoint',
  '.h5': 'keras-hdf5',
  '.hdf5': 'keras-hdf5',
  '.keras': 'keras-zip',
  '.onnx': 'onnx',
  '.json': 'tfjs-layers',
};

/** The file that is written for a path, and its format: by its ending; a folder gets a `model.json`. */
export interface ModelTarget {
  readonly path: string;
  readonly format: WrittenFormat;
}

/** @throws {ValueError} that lists the endings, when it has none of them */
export function modelTarget(path: string): ModelTarget {
  const folder = /[/\\]$/.test(path) || (existsSync(path) && statSync(path).isDirectory());
  if (folder) return { path: join(path, 'model.json'), format: 'tfjs-layers' };
  const ending = /\.\w+$/.exec(path)?.[0].toLowerCase() ?? '';
  const format = formatsOfEndings[ending];
  if (format !== undefined) return { path, format };
  throw new ValueError(
    `cannot write '${path}': its ending says the kind, and must be one of ${Object.keys(formatsOfEndings).join(', ')}; ` +
      'a folder gets the model.json of TensorFlow.js.',
    { path },
  );
}

/**
 * Writes a model to a file, whose ending says the format: see `encodeModel` of `@skiplane/resnet`. Shards of a TensorFlow.js
 * model lie beside its JSON, which is written last.
 * @returns what was written, first the file to be loaded, and what could not be kept
 * @throws {ValueError} when the ending is of no format that can be written
 * @throws {FormatError} when the format cannot hold the model
 * @throws {StorageError} when a file cannot be written
 */
export async function saveModel(
  path: string,
  model: SavableModel,
): Promise<{ readonly paths: readonly string[]; readonly notes: readonly string[] }> {
  const target = modelTarget(path);
  const { files, notes } = await encodeModel(model, target.format, basename(target.path));
  const folder = dirname(target.path);
  for (const [name, bytes] of [...files].toReversed()) await writeFileAtomic(join(folder, name), bytes);
  return { paths: [...files.keys()].map((name) => join(folder, name)), notes };
}
