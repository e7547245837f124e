import { resolve } from 'node:path';
import prettyBytes from 'pretty-bytes';
import { listenForInterrupt } from '../interrupt.ts';
import { note, printJson, printLine } from '../output.ts';
import { createProgress } from '../render/progress.ts';
import { officialArchive } from './archive.ts';
import { cacheFolder } from './cache.ts';
import { download } from './download.ts';

export interface DownloadFlags {
  readonly url: string;
  readonly sha256: string;
  readonly to?: string | undefined;
  readonly json?: true | undefined;
}

/** `skiplane data download`. Returns the exit code. */
export async function downloadData({ url, sha256, to, json }: DownloadFlags): Promise<number> {
  const target = resolve(to ?? (await cacheFolder()), officialArchive.name);
  const interrupt = listenForInterrupt('Stopping: what has arrived is kept.');
  const progress = await createProgress({ plainSeconds: 10 });
  try {
    const result = await download({
      url,
      sha256,
      target,
      signal: interrupt.signal,
      onProgress: (received, total) => progress.update(received / (total ?? Infinity), describe(received, total)),
      onNote: (text) => {
        progress.clear();
        note(text);
      },
    });
    progress.done();
    if (json) printJson(result);
    else
      printLine(result.existed ? `'${target}' is there already.` : `Saved '${target}' (${prettyBytes(result.bytes)}).`);
    if (!json)
      printLine(to === undefined ? 'It is used wherever --data is not given.' : `Use it with --data '${target}'.`);
    return 0;
  } catch (error) {
    progress.done();
    if (interrupt.exitCode === undefined) throw error;
    note('Stopped. Run the same command again to go on.');
    return interrupt.exitCode;
  } finally {
    interrupt.release();
  }
}

function describe(received: number, total: number | undefined): string {
  return total === undefined ? prettyBytes(received) : `${prettyBytes(received)} of ${prettyBytes(total)}`;
}
