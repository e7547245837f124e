import { FormatError, SkiplaneError } from '@skiplane/core';
import type { ByteSource } from '../checkpoint/safetensors.ts';
import { checkWholeSize, fileError, type ModelFile } from './model-file.ts';
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
export async function openModelFile(source: ByteSource, sibling: ReadSibling = noSiblings): Promise<ModelFile> {
  try {
    return checked(await openAny(source, sibling));
  } catch (error) {
    throw asFormatError(error);
  }
}

async function openAny(source: ByteSource, sibling: ReadSibling): Promise<ModelFile> {
  if (looksLikeSafetensors(source)) return readSafetensorsFile(source);
  checkWholeSize(source);
  // Who only reads checkpoints need not load the readers of all others.
  const { openForeignFile } = await import('./open-foreign-file.ts');
  const bytes = source instanceof Uint8Array ? source : source.subarray(0, source.length);
  // Node's Buffers slice in ways of their own.
  return await openForeignFile(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), sibling);
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
