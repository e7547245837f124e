import type { ByteSource } from '../byte-source.ts';
import { fileError } from './model-file.ts';

/** Opens a file that lies beside the one that is read, by its name. */
export type ReadSibling = (name: string) => Promise<ByteSource>;

/** @throws {FormatError} when a name is more than one: a file may not reach out of its folder */
export function checkSiblingName(format: string, name: string): void {
  if (!/^[^/\\:?#]+$/.test(name) || name === '..' || name === '.')
    throw fileError(format, `its file '${name}' does not lie beside it`);
}
