import { SkiplaneError } from '@skiplane/core';

/** A file or folder that cannot be read or written: missing, forbidden, or the disk is full. */
export class StorageError extends SkiplaneError {
  override name = 'StorageError';
  constructor(message: string, details?: Readonly<Record<string, unknown>>, cause?: unknown) {
    super('STORAGE', message, details, cause);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'access is denied',
  EPERM: 'access is denied',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  ENOSPC: 'the disk is full; free some space and try again',
  EDQUOT: 'the disk quota is used up; free some space and try again',
  EMFILE: 'too many files are open',
};

/** Code of an error of the operating system, such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The error of something that was tried on a path. @param asked  such as `cannot read` */
export function storageError(asked: string, path: string, error: unknown): StorageError {
  const code = errorCode(error);
  const reason =
    (code === undefined ? undefined : reasons[code]) ?? (error instanceof Error ? error.message : String(error));
  return new StorageError(`${asked} '${path}': ${reason}.`, { path, code }, error);
}
