import { open, stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** What happens to a log while it is followed. */
export type LogChange =
  | { readonly kind: 'line'; readonly text: string }
  /** The lines so far no longer count: the run has been resumed from before them. */
  | { readonly kind: 'again' };

const pollMilliseconds = 250;

/**
 * The lines of a growing file, from the first one on; one that is not there yet is waited for. When `done` is aborted, what is
 * there still comes, and then the end. A last line without its end is not a line yet.
 */
export async function* followLog(path: string, done: AbortSignal): AsyncGenerator<LogChange, void, void> {
  let [file, position, cut] = [-1, 0, ''];
  for (;;) {
    const last = done.aborted;
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return { ino: -1, size: 0 };
      throw error;
    });
    if (found.ino !== file || found.size < position) {
      if (position > 0) yield { kind: 'again' };
      [file, position, cut] = [found.ino, 0, ''];
    }
    if (found.size > position) {
      const lines = (cut + (await readRange(path, position, found.size))).split('\n');
      position = found.size;
      cut = lines.pop() ?? '';
      for (const text of lines) if (text !== '') yield { kind: 'line', text };
    }
    if (last) return;
    // An abort only ends the pause.
    await pause(pollMilliseconds, undefined, { signal: done }).catch(() => undefined);
  }
}

async function readRange(path: string, from: number, to: number): Promise<string> {
  const file = await open(path);
  try {
    const bytes = Buffer.alloc(to - from);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
    return bytes.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
