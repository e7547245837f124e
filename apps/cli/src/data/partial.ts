import { open, readFile, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';

/** What identifies the version of the remote file that a part belongs to. */
export interface RemoteVersion {
  readonly url: string;
  readonly etag?: string;
  readonly lastModified?: string;
}

/** The part of a file that has arrived so far, with a note beside it that tells which version it is a part of. */
export class PartialFile {
  readonly path: string;
  readonly #notePath: string;

  /** @param target  the file that it becomes */
  constructor(target: string) {
    this.path = `${target}.part`;
    this.#notePath = `${target}.part.json`;
  }

  /** Bytes that have arrived; 0 when there is no part. */
  async size(): Promise<number> {
    try {
      return (await stat(this.path)).size;
    } catch (error) {
      if (isMissing(error)) return 0;
      throw error;
    }
  }

  /** The version that the part belongs to; undefined when that cannot be told. */
  async version(): Promise<RemoteVersion | undefined> {
    try {
      return parseNote(await readFile(this.#notePath, 'utf8'));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Begins anew with a version. */
  async start(version: RemoteVersion): Promise<FileHandle> {
    await writeFile(this.#notePath, `${JSON.stringify(version)}\n`);
    return await open(this.path, 'w');
  }

  /** Goes on where the part ends. */
  async resume(): Promise<FileHandle> {
    return await open(this.path, 'a');
  }

  /** Forgets the note, once the part has become the file. */
  async finish(): Promise<void> {
    await rm(this.#notePath, { force: true });
  }

  async discard(): Promise<void> {
    await rm(this.path, { force: true });
    await rm(this.#notePath, { force: true });
  }
}

function parseNote(text: string): RemoteVersion | undefined {
  try {
    const note: unknown = JSON.parse(text);
    if (typeof note !== 'object' || note === null || !('url' in note) || typeof note.url !== 'string') return undefined;
    const etag = 'etag' in note && typeof note.etag === 'string' ? { etag: note.etag } : {};
    const lastModified =
      'lastModified' in note && typeof note.lastModified === 'string' ? { lastModified: note.lastModified } : {};
    return { url: note.url, ...etag, ...lastModified };
  } catch (error) {
    // A note cut off by a crash: the part is of no known version.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
