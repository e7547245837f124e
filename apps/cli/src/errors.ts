/** A command line that breaks a rule: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Something that went wrong with good usage, in words for the user: exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export const exitCodes = { ok: 0, failure: 1, usage: 2, interrupt: 130, terminate: 143 } as const;

/** What a system error code means to somebody who does not know it. */
const systemErrors: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a folder, not a file',
  ENOTDIR: 'a part of the path is a file, not a folder',
  ENOSPC: 'no space left on the disk; free some, or choose another folder',
  EDQUOT: 'the disk quota is used up',
  EMFILE: 'too many open files',
  EFBIG: 'the file is too large for this file system',
  EIO: 'the disk reports an input/output error',
};

/** Prints one clear message on stderr and returns the exit code. */
export function reportError(error: unknown): number {
  process.stderr.write(`error: ${errorMessage(error)}\n`);
  if (process.env['SKIPLANE_DEBUG'] && error instanceof Error) process.stderr.write(`${debugText(error)}\n`);
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failure;
}

/** Node leaves with this code, and silently, when nothing is left to wait for although `main` still waits. */
const unsettled = 13;

/** The last word at the exit of a process that stopped in the middle of its work. */
export function reportUnfinished(code: number): void {
  if (code !== unsettled) return;
  process.stderr.write('error: the work stopped in the middle, with nothing left to wait for (an internal error).\n');
  process.exitCode = exitCodes.failure;
}

/** The message of any thrown value, with system errors in words. */
export function errorMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isSystemError(error)) {
    const reason = systemErrors[error.code] ?? error.message;
    return error.path === undefined ? `${reason}.` : `cannot use '${error.path}': ${reason}.`;
  }
  if (isProgrammingError(error)) {
    return `${error.message} (an internal ${error.name}; run again with SKIPLANE_DEBUG=1 for the stack trace)`;
  }
  return error.message;
}

interface SystemError extends Error {
  readonly code: string;
  readonly path?: string;
}

function isSystemError(error: Error): error is SystemError {
  return 'syscall' in error && 'code' in error && typeof error.code === 'string';
}

function isProgrammingError(error: Error): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}

function debugText(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by: ${debugText(error.cause)}` : own;
}
