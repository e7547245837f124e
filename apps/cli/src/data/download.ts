import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import prettyBytes from 'pretty-bytes';
import { CommandError } from '../errors.ts';
import { NetworkError } from './http.ts';
import { PartialFile } from './partial.ts';
import { transfer, type TransferOptions } from './transfer.ts';

export interface DownloadOptions extends TransferOptions {
  /** The sum that the whole file must have, in lower-case hexadecimal digits. */
  readonly sha256: string;
  /** The file to make. */
  readonly target: string;
  readonly onNote?: (text: string) => void;
  /** Tries without a new byte before it gives up (default 5), and the first pause between two, doubled each time. */
  readonly tries?: number;
  readonly pauseMilliseconds?: number;
}

export interface DownloadResult {
  readonly path: string;
  readonly bytes: number;
  /** True when the file was there already, with the right sum. */
  readonly existed: boolean;
}

/**
 * Fetches a file once: what has arrived survives a cut connection and a stopped program, the sum is checked, and the
 * file appears under its name only when it is whole.
 *
 * @throws {CommandError} for an address, network, status or sum that is wrong
 */
export async function download(options: DownloadOptions): Promise<DownloadResult> {
  const { target, sha256, onNote } = options;
  if (existsSync(target)) {
    const found = await hashFile(target);
    if (found.sha256 === sha256) return { path: target, bytes: found.bytes, existed: true };
    onNote?.(`'${target}' has another SHA-256 sum and will be replaced.`);
  }
  await mkdir(dirname(target), { recursive: true });
  const part = new PartialFile(target);
  const resumed = await receive(part, options);
  let found = await hashFile(part.path);
  if (found.sha256 !== sha256 && resumed) {
    onNote?.('the parts do not fit together: starting over.');
    await part.discard();
    await receive(part, options);
    found = await hashFile(part.path);
  }
  if (found.sha256 !== sha256) {
    await part.discard();
    throw new CommandError(
      `the file from ${options.url} has the SHA-256 sum ${found.sha256}, but it must be ${sha256}. ` +
        'Nothing was kept. Try again, or give another --url, or the --sha256 that you trust.',
    );
  }
  await rename(part.path, target);
  await part.finish();
  return { path: target, bytes: found.bytes, existed: false };
}

/** Tries until the whole file has arrived. Returns true when parts of different requests were joined. */
async function receive(part: PartialFile, options: DownloadOptions): Promise<boolean> {
  const { url, tries = 5, pauseMilliseconds = 1000, signal, onNote } = options;
  let resumed = false;
  for (let failures = 0; ;) {
    const before = await part.size();
    try {
      resumed = (await transfer(part, options)) || resumed;
      return resumed;
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      const size = await part.size();
      failures = size > before ? 1 : failures + 1;
      if (!error.temporary || failures >= tries) throw failed(url, error, size);
      onNote?.(`${error.message} after ${prettyBytes(size)}: trying again.`);
      await delay(pauseMilliseconds * 2 ** (failures - 1), undefined, signal && { signal });
    }
  }
}

function failed(url: string, error: NetworkError, size: number): CommandError {
  const kept = size > 0 ? ` ${prettyBytes(size)} are kept: run the command again to go on from there.` : '';
  return new CommandError(`cannot download ${url}: ${error.message}.${kept}`, { cause: error });
}

async function hashFile(path: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  });
  return { sha256: hash.digest('hex'), bytes };
}
