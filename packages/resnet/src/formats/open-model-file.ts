import { elementCount, FormatError, SkiplaneError } from '@skiplane/core';
import type { ByteSource } from '../byte-source.ts';
import { parameterSpecs } from '../initial-parameters.ts';
import {
  checkWholeSize,
  fileError,
  type ModelDirectory,
  type ImportedNetwork,
  type ModelFile,
  type NetworkOutline,
} from './model-file.ts';
import { ownKey, withOwnMetadata } from './own-metadata.ts';
import { looksLikeSafetensors, readSafetensorsFile } from './safetensors-file.ts';
import type { ReadSibling } from './sibling.ts';

const noSiblings: ReadSibling = (name) =>
  Promise.reject(
    fileError(
      'model',
      `'${name}', in which its tensors are, cannot be found from bytes alone`,
      'Give a path or a URL.',
    ),
  );

/**
 * Finds out by its content which kind of file this is, and reads its directory, but no tensor.
 * @param sibling  reads a file beside this one, which a `model.json` needs, and ONNX whose tensors lie in other files
 * @throws {FormatError} when it is of no known kind, or damaged
 */
export async function openModelFile(source: ByteSource, sibling: ReadSibling = noSiblings): Promise<ModelFile> {
  try {
    return checked(await openAny(source, sibling));
  } catch (error) {
    throw asFormatError(error);
  }
}

async function openAny(source: ByteSource, sibling: ReadSibling): Promise<ModelDirectory> {
  if (looksLikeSafetensors(source)) return readSafetensorsFile(source);
  // Who only reads checkpoints need not load the readers of all others.
  const { openForeignFile } = await import('./open-foreign-file.ts');
  // Node's Buffers slice in ways of their own.
  const plain =
    source instanceof Uint8Array ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : source;
  return await openForeignFile(plain, sibling);
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

function clearly<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw asFormatError(error);
  }
}

function checked(file: ModelDirectory): ModelFile {
  const outline = (): NetworkOutline => {
    const found = clearly(() => withOwnMetadata(file.outline(), file.metadata[ownKey]));
    const read = (): ImportedNetwork => {
      checkSize(found);
      return clearly(() => found.read());
    };
    return { ...found, read };
  };
  return { ...file, outline, network: () => outline().read() };
}

/** @throws {FormatError} when the weights are more than fit into memory */
function checkSize({ model }: NetworkOutline): void {
  const elements = parameterSpecs(model).reduce((sum, { shape }) => sum + elementCount(shape), 0);
  checkWholeSize({ length: 4 * elements }, `network '${model.name}'`);
}
