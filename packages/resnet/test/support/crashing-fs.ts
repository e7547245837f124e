import type * as fs from 'node:fs/promises';

/** Thrown in place of the operation at which the process "dies". */
export class Crash extends Error {}

/** Errors of single operations, such as a full disk. */
export interface Faults {
  /** Operations that change files, so far. */
  operations: number;
  /** The one at which the process dies: it happens in part, and all later ones, cleaning up included, not at all. */
  crashAt: number;
  /** Makes writing to files fail, as on a full disk. */
  diskFull: boolean;
}

export const faults: Faults = { operations: 0, crashAt: Number.POSITIVE_INFINITY, diskFull: false };

export function noFaults(): void {
  Object.assign(faults, { operations: 0, crashAt: Number.POSITIVE_INFINITY, diskFull: false });
}

function count(): 'whole' | 'part' {
  faults.operations++;
  if (faults.operations > faults.crashAt) throw new Crash();
  return faults.operations === faults.crashAt ? 'part' : 'whole';
}

const half = (data: string | Uint8Array): string | Uint8Array => data.slice(0, Math.floor(data.length / 2));

/** `node:fs/promises` whose writes can fail or stop midway. */
export function crashingFs(original: typeof fs): typeof fs {
  const open = async (...args: Parameters<typeof fs.open>) => {
    if (args[1] !== 'r' && count() === 'part') throw new Crash();
    const handle = await original.open(...args);
    const writeFile = handle.writeFile.bind(handle);
    handle.writeFile = async (data) => {
      const text = data as string;
      const how = count();
      await writeFile(how === 'part' || faults.diskFull ? half(text) : text);
      if (how === 'part') throw new Crash();
      if (faults.diskFull) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    };
    return handle;
  };
  const appendFile = async (path: string, data: string): Promise<void> => {
    const how = count();
    await original.appendFile(path, how === 'part' ? half(data) : data);
    if (how === 'part') throw new Crash();
  };
  const rename = async (from: string, to: string): Promise<void> => {
    if (count() === 'part') throw new Crash();
    return original.rename(from, to);
  };
  const rm = async (...args: Parameters<typeof fs.rm>): Promise<void> => {
    if (count() === 'part') throw new Crash();
    return original.rm(...args);
  };
  return { ...original, open, appendFile, rename, rm } as typeof fs;
}
