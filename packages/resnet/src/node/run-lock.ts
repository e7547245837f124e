import { readFileSync, rmSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { ValueError } from '@skiplane/core';
import { isRunning } from './is-running.ts';
import { errorCode, storageError } from './storage-error.ts';

/**
 * Claims a run's folder for this process, until it ends: two that write the same run would spoil it. What a process that was
 * killed has left, or one on another machine, claims nothing.
 * @param path  of the lock
 * @throws {ValueError} when another process that still runs has the folder
 * @throws {StorageError} when the lock cannot be written
 */
export async function lockRun(path: string, folder: string): Promise<void> {
  for (;;) {
    try {
      await writeFile(path, own, { flag: 'wx' });
      releaseAtExit(path);
      return;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw storageError('cannot lock', path, error);
    }
    const owner = await readFile(path, 'utf8').catch(() => '');
    if (owner === own) return;
    const [pid = '', host = ''] = owner.split(' ');
    if (host === hostname() && isRunning(Number(pid))) {
      throw new ValueError(
        `'${folder}' is in use: process ${pid} trains in it. Wait until it ends, stop it, or choose another folder; ` +
          `if no such process is one of skiplane, remove '${path}'.`,
        { folder, pid: Number(pid) },
      );
    }
    await rm(path, { force: true });
  }
}

const own = `${process.pid} ${hostname()}`;
const held = new Set<string>();

function releaseAtExit(path: string): void {
  if (held.size === 0) process.once('exit', release);
  held.add(path);
}

function release(): void {
  for (const path of held) {
    try {
      if (readFileSync(path, 'utf8') === own) rmSync(path);
    } catch {
      // It is gone already, and so is the claim.
    }
  }
}
