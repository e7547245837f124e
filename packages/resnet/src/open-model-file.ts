import type { ByteSource } from './byte-source.ts';
import type { ModelFile, OpenOptions } from './formats/model-file.ts';

/**
 * Finds out by its content which kind of file this is, and reads its directory, but no tensor. The readers are loaded with
 * the first file: who trains needs none of them.
 * @param source  its bytes; when they are read as they are asked for, only those of its directory are
 * @throws {FormatError} when it is of no known kind, or damaged
 */
export async function openModelFile(source: ByteSource, options?: OpenOptions): Promise<ModelFile> {
  const formats = await import('./formats/open-model-file.ts');
  return await formats.openModelFile(source, options);
}
