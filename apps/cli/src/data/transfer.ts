import type { FileHandle } from 'node:fs/promises';
import { get, NetworkError, networkError, type HttpAnswer } from './http.ts';
import type { PartialFile, RemoteVersion } from './partial.ts';

export interface TransferOptions {
  readonly url: string;
  /** Bytes on disk so far, and the size of the whole file where the server tells it. */
  readonly onProgress?: (received: number, total: number | undefined) => void;
  readonly signal?: AbortSignal;
}

/**
 * One request that adds to the part of a file, or begins it anew where the server has another version or no ranges.
 *
 * @returns true when it went on with a part
 * @throws {NetworkError} when the answer is not whole, or not one
 */
export async function transfer(part: PartialFile, options: TransferOptions): Promise<boolean> {
  const { url, signal } = options;
  const known = await part.version();
  const size = known?.url === url ? await part.size() : 0;
  const answer = await get(url, size > 0 ? rangeHeaders(size, known) : {}, signal);
  const range = parseRange(answer.header('content-range'));
  if (answer.status === 416) {
    answer.body.destroy();
    if (range?.total === size) return true;
    await part.discard();
    throw new NetworkError('the part on disk does not fit the file of the server', true);
  }
  if (answer.status === 206 && (range?.start !== size || isOther(known, answer))) {
    answer.body.destroy();
    await part.discard();
    throw new NetworkError('the file of the server has changed', true);
  }
  if (answer.status !== 200 && answer.status !== 206) {
    answer.body.destroy();
    throw badStatus(answer);
  }
  const goesOn = answer.status === 206;
  const file = goesOn ? await part.resume() : await part.start(versionOf(url, answer));
  const length = Number(answer.header('content-length') ?? Number.NaN);
  const total = goesOn ? range?.total : Number.isNaN(length) ? undefined : length;
  await store(file, answer, { ...options, path: part.path, start: goesOn ? size : 0, total });
  return goesOn;
}

interface StoreOptions extends TransferOptions {
  readonly path: string;
  readonly start: number;
  readonly total: number | undefined;
}

async function store(file: FileHandle, answer: HttpAnswer, options: StoreOptions): Promise<void> {
  const { path, start, total, signal, onProgress } = options;
  let received = start;
  try {
    const body = answer.body[Symbol.asyncIterator]();
    for (;;) {
      const next = await body.next().catch((error: unknown) => {
        throw networkError(error, signal);
      });
      if (next.done) break;
      const chunk = next.value as Uint8Array;
      await write(file, chunk, path);
      received += chunk.length;
      onProgress?.(received, total);
    }
    await file.sync();
  } finally {
    answer.body.destroy();
    await file.close();
  }
  if (total !== undefined && received < total) throw new NetworkError('the connection was cut', true);
}

async function write(file: FileHandle, chunk: Uint8Array, path: string): Promise<void> {
  try {
    await file.write(chunk);
  } catch (error) {
    // Errors of an open file do not name it.
    throw error instanceof Error ? Object.assign(error, { path }) : error;
  }
}

function rangeHeaders(size: number, known: RemoteVersion | undefined): Record<string, string> {
  // A weak tag promises no equal bytes, so it must not stand in If-Range.
  const strong = known?.etag?.startsWith('W/') ? undefined : known?.etag;
  const validator = strong ?? known?.lastModified;
  return { range: `bytes=${size}-`, ...(validator === undefined ? {} : { 'if-range': validator }) };
}

/** `bytes 100-199/200` or `bytes *\/200`. */
function parseRange(header: string | undefined): { start?: number; total?: number } | undefined {
  const match = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(header ?? '');
  if (match === null) return undefined;
  const [, start, total] = match;
  return {
    ...(start === undefined ? {} : { start: Number(start) }),
    ...(total === undefined || total === '*' ? {} : { total: Number(total) }),
  };
}

function versionOf(url: string, answer: HttpAnswer): RemoteVersion {
  const [etag, lastModified] = [answer.header('etag'), answer.header('last-modified')];
  return { url, ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) };
}

/** True when a server that does not know If-Range went on with another version of the file. */
function isOther(known: RemoteVersion | undefined, answer: HttpAnswer): boolean {
  const etag = answer.header('etag');
  return known?.etag !== undefined && etag !== undefined && known.etag !== etag;
}

function badStatus(answer: HttpAnswer): NetworkError {
  const temporary = answer.status === 429 || answer.status >= 500;
  return new NetworkError(`the server answers with status ${answer.status}`, temporary);
}
