import { elementCount, FormatError, SkiplaneError } from '@skiplane/core';
import type { ByteSource } from '../byte-source.ts';
import { parameterSpecs } from '../initial-parameters.ts';
import {
  checkWholeSize,
  fileError,
  type ModelDirectory,
  type ImportedNetwork,
  type ModelFile,
  type OpenOptions,
  type NetworkOutline,
} from './model-file.ts';
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
 * @throws {FormatError} when it is of no known kind, or damaged
 */
export async function openModelFile(source: ByteSource, options: OpenOptions = {}): Promise<ModelFile> {
  try {
    return checked(await openAny(source, options));
  } catch (error) {
    throw asFormatError(error);
  }
}

async function openAny(source: ByteSource, { sibling = noSiblings, entry }: OpenOptions): Promise<ModelDirectory> {
  const file = looksLikeSafetensors(source)
    ? await readSafetensorsFile(source)
    : await openForeign(source, { sibling, entry });
  if (entry === undefined || file.format === 'pytorch') return file;
  throw new FormatError(
    `the entry '${entry}' is asked for, but only PyTorch files have such: this is ${file.format}.`,
    { entry },
  );
}

async function openForeign(
  source: ByteSource,
  options: Required<Pick<OpenOptions, 'entry'>> & { readonly sibling: ReadSibling },
): Promise<ModelDirectory> {
  const { openForeignFile } = await import('./open-foreign-file.ts');
  // Node's Buffers slice in ways of their own.
  const plain =
    source instanceof Uint8Array ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : source;
  return await openForeignFile(plain, options);
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
    const found = clearly(() => file.outline());
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
