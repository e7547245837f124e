import { open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isRunning } from './is-running.ts';
import { storageError } from './storage-error.ts';

const marker = '.skiplane-tmp-';
let serial = 0;

/**
 * Writes a whole file or leaves the old one as it is: a temporary file in the same folder, flushed to the disk, then
 * renamed. A reader, or a kill at any moment, sees the old content or the new, never a part.
 * @throws {StorageError} when it cannot be written, such as on a full disk; the temporary file is then gone
 */
export async function writeFileAtomic(path: string, data: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}${marker}${process.pid}-${serial++}`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw storageError('cannot write', path, error);
  }
}

/** Removes what writes that were killed have left in a folder; the files of processes that still run stay. */
export async function removeTemporaryFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = new RegExp(`^\\..+${marker.replaceAll('.', '\\.')}(\\d+)-\\d+$`).exec(name)?.[1];
    if (pid !== undefined && (Number(pid) === process.pid || !isRunning(Number(pid))))
      await rm(join(folder, name), { force: true });
  }
}

/** Makes a rename last through a power cut; Windows has no such call for folders. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
