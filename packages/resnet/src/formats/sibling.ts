import type { ByteSource } from '../byte-source.ts';
import { fileError } from './model-file.ts';

/** Opens a file that lies beside the one that is read, by its name. */
export type ReadSibling = (name: string) => Promise<ByteSource>;

/** The name in a path, which may begin with `./`. @throws {FormatError} when there is more: a file may not reach out of its folder */
export function siblingName(format: string, path: string): string {
  const name = path.replace(/^\.\//, '');
  if (!/^[^/\\:?#]+$/.test(name) || name === '..' || name === '.')
    throw fileError(format, `its file '${path}' does not lie beside it`);
  return name;
}
