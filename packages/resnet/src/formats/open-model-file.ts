import { FormatError, SkiplaneError } from '@skiplane/core';
import { fileError, type ModelFile } from './model-file.ts';
import { ownKey, withOwnMetadata } from './own-metadata.ts';
import { looksLikeSafetensors, readSafetensorsFile } from './safetensors-file.ts';
import type { ReadSibling } from './tfjs-layers.ts';

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
  if (looksLikeSafetensors(bytes)) return readSafetensorsFile(bytes);
  // Who only reads checkpoints need not load the readers of all others.
  const { openForeignFile } = await import('./open-foreign-file.ts');
  return await openForeignFile(bytes, sibling);
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
