import { FormatError, SkiplaneError } from '@skiplane/core';
import { isHdf5 } from './hdf5.ts';
import { isKerasZip, readKerasZip } from './keras-zip.ts';
import { readKerasHdf5 } from './keras-hdf5.ts';
import { fileError, type ModelFile } from './model-file.ts';
import { ownKey, withOwnMetadata } from './own-metadata.ts';
import { looksLikeOnnx, readOnnx } from './onnx.ts';
import { isLegacyPytorch, isPytorchZip, readLegacyPytorch, readPytorchZip } from './pytorch.ts';
import { looksLikeSafetensors, readSafetensorsFile } from './safetensors-file.ts';
import { looksLikeJson, readTfjsLayers, type ReadSibling } from './tfjs-layers.ts';
import { isZip, readZip } from './zip.ts';

const noSiblings: ReadSibling = (name) =>
  Promise.reject(
    fileError('TensorFlow.js', `its shard '${name}' cannot be found from bytes alone`, 'Give a path or a URL.'),
  );

/**
 * Finds out by its content which kind of file this is, and reads its directory, but no tensor.
 * @param sibling  reads a file beside this one, which a `model.json` needs
 * @throws {FormatError} when it is of no known kind, or damaged
 */
export async function openModelFile(bytes: Uint8Array, sibling: ReadSibling = noSiblings): Promise<ModelFile> {
  try {
    // Node's Buffers slice in ways of their own.
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return checked(await openAny(plain, sibling));
  } catch (error) {
    throw asFormatError(error);
  }
}

async function openAny(bytes: Uint8Array, sibling: ReadSibling): Promise<ModelFile> {
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
  if (looksLikeSafetensors(bytes)) return readSafetensorsFile(bytes);
  if (looksLikeOnnx(bytes)) return await readOnnx(bytes);
  if (looksLikeJson(bytes)) return await readTfjsLayers(bytes, sibling);
  throw new FormatError(`this is no file of a known kind: its first bytes are ${hex(bytes)}. ${knownKinds}`);
}

const knownKinds =
  'Known are: checkpoints and safetensors, Keras .h5 and .keras, TensorFlow.js model.json, PyTorch .pt, .pth and .th, ONNX.';

function hex(bytes: Uint8Array): string {
  return [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ') || 'none';
}

/** Readers are written for files that keep their format; what one that does not makes of them is still one clear error. */
function asFormatError(error: unknown): unknown {
  if (error instanceof SkiplaneError || !(error instanceof RangeError || error instanceof TypeError)) return error;
  return new FormatError(
    `this file cannot be read: it breaks its format (${error.message}). Use a copy that is whole.`,
    {},
    error,
  );
}

function checked(file: ModelFile): ModelFile {
  return {
    ...file,
    network() {
      try {
        return withOwnMetadata(file.network(), file.metadata[ownKey]);
      } catch (error) {
        throw asFormatError(error);
      }
    },
  };
}
