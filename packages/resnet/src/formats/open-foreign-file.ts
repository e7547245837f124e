import { FormatError } from '@skiplane/core';
import { isHdf5 } from './hdf5.ts';
import { isKerasZip, readKerasZip } from './keras-zip.ts';
import { readKerasHdf5 } from './keras-hdf5.ts';
import { fileError, type ModelFile } from './model-file.ts';
import { looksLikeOnnx, readOnnx } from './onnx.ts';
import { isLegacyPytorch, isPytorchZip, readLegacyPytorch, readPytorchZip } from './pytorch.ts';
import { looksLikeJson, readTfjsLayers, type ReadSibling } from './tfjs-layers.ts';
import { isZip, readZip } from './zip.ts';

/** Finds out which of the kinds that other programs write this is. @throws {FormatError} when it is none of them */
export async function openForeignFile(bytes: Uint8Array, sibling: ReadSibling): Promise<ModelFile> {
  if (isHdf5(bytes)) return readKerasHdf5(bytes);
  if (isZip(bytes)) {
    const entries = readZip(bytes);
    if (isKerasZip(entries)) return readKerasZip(entries);
    if (isPytorchZip(entries)) return readPytorchZip(entries);
    throw fileError(
      'zip',
      `it holds neither a Keras model nor PyTorch tensors (but ${[...entries.keys()].slice(0, 5).join(', ')})`,
      knownKinds,
    );
  }
  if (isLegacyPytorch(bytes)) return readLegacyPytorch(bytes);
  if (looksLikeOnnx(bytes)) return await readOnnx(bytes);
  if (looksLikeJson(bytes)) return await readTfjsLayers(bytes, sibling);
  throw new FormatError(`this is no file of a known kind: its first bytes are ${hex(bytes)}. ${knownKinds}`);
}

const knownKinds =
  'Known are: checkpoints and safetensors, Keras .h5 and .keras, TensorFlow.js model.json, PyTorch .pt, .pth and .th, ONNX.';

function hex(bytes: Uint8Array): string {
  return [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ') || 'none';
}
