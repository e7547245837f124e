import { FormatError } from '@skiplane/core';
import type { ByteSource } from '../byte-source.ts';
import { isHdf5 } from './hdf5.ts';
import { isKerasZip, readKerasZip } from './keras-zip.ts';
import { readKerasHdf5 } from './keras-hdf5.ts';
import { fileError, type ModelDirectory, type OpenOptions } from './model-file.ts';
import { looksLikeOnnx, readOnnx } from './onnx.ts';
import { ownKey } from './own-key.ts';
import { withOwnMetadata } from './own-metadata.ts';
import { isLegacyPytorch, isPytorchZip, readLegacyPytorch, readPytorchZip } from './pytorch.ts';
import type { ReadSibling } from './sibling.ts';
import { looksLikeJson, readTfjsLayers } from './tfjs-layers.ts';
import { isZip, readZip } from './zip.ts';

/** Finds out which of the kinds that other programs write this is. @throws {FormatError} when it is none of them */
export async function openForeignFile(source: ByteSource, options: ForeignOptions): Promise<ModelDirectory> {
  const file = await openOfKind(source, options);
  return { ...file, outline: () => withOwnMetadata(file.outline(), file.metadata[ownKey]) };
}

async function openOfKind(source: ByteSource, { sibling, entry }: ForeignOptions): Promise<ModelDirectory> {
  const head = source.subarray(0, Math.min(headBytes, source.length));
  if (isHdf5(head)) return readKerasHdf5(source);
  if (isZip(head)) {
    const entries = readZip(source);
    if (isKerasZip(entries)) return readKerasZip(entries);
    if (isPytorchZip(entries)) return readPytorchZip(entries, entry);
    throw fileError(
      'zip',
      `it holds neither a Keras model nor PyTorch tensors (but ${[...entries.keys()].slice(0, 5).join(', ')})`,
      knownKinds,
    );
  }
  if (isLegacyPytorch(head)) return readLegacyPytorch(source, entry);
  if (looksLikeOnnx(head)) return await readOnnx(source, sibling);
  if (looksLikeJson(head)) return await readTfjsLayers(source, sibling);
  throw new FormatError(`this is no file of a known kind: its first bytes are ${hex(head)}. ${knownKinds}`);
}

interface ForeignOptions extends OpenOptions {
  readonly sibling: ReadSibling;
}

/** By which files are told apart. */
const headBytes = 64;

const knownKinds =
  'Known are: checkpoints and safetensors, Keras .h5 and .keras, TensorFlow.js model.json, PyTorch .pt, .pth and .th, ONNX.';

function hex(bytes: Uint8Array): string {
  return [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ') || 'none';
}
