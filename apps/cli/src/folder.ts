import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { CommandError } from './errors.ts';

/** Checks, before long work, that the folder of a file to be written is there. @param option  that names the file */
export function checkFolderOf(path: string, option: string): void {
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new CommandError(`cannot write '${path}' (${option}): there is no folder '${folder}'. Make it first.`);
}
