import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { CommandError, errorMessage, UsageError } from '../errors.ts';

/** Encoded bytes of a picture and the name to show for it. */
export interface PictureFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const extensions = new Set(['.png', '.jpg', '.jpeg', '.webp']);

/**
 * Reads files, the pictures directly inside folders in natural order, and `-` for stdin.
 * @throws {CommandError} that lists every path that cannot be read
 */
export async function collectPictures(paths: readonly string[]): Promise<PictureFile[]> {
  if (paths.filter((path) => path === '-').length > 1)
    throw new UsageError("'-' (standard input) may be given only once.");
  const pictures: PictureFile[] = [];
  const problems: string[] = [];
  for (const path of paths) {
    try {
      for (const name of await expand(path)) pictures.push({ name, bytes: await read(name) });
    } catch (error) {
      if (error instanceof UsageError) throw error;
      problems.push(errorMessage(error));
    }
  }
  if (problems.length > 0) throw new CommandError(problems.join('\n'));
  return pictures;
}

async function expand(path: string): Promise<string[]> {
  if (path === '-' || !(await stat(path)).isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => extensions.has(extname(name).toLowerCase()));
  if (names.length === 0)
    throw new CommandError(`the folder '${path}' has no picture: no ${[...extensions].join(', ')} file.`);
  const collator = new Intl.Collator('en', { numeric: true });
  return names.toSorted((a, b) => collator.compare(a, b)).map((name) => join(path, name));
}

async function read(name: string): Promise<Uint8Array> {
  if (name !== '-') return await readFile(name);
  if (process.stdin.isTTY) {
    throw new UsageError(
      "'-' reads a picture from standard input, but that is the terminal: skiplane predict - < picture.png",
    );
  }
  return await buffer(process.stdin);
}
