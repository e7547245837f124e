import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const bin = fileURLToPath(new URL('../bin/skiplane.js', import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Uint8Array;
  readonly cwd?: string;
  readonly onStart?: (child: ChildProcess) => void;
  /** Called with everything that stdout and stderr have said so far. */
  readonly onOutput?: (text: string, child: ChildProcess) => void;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder that is removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'skiplane-cli-'));
  folders.push(folder);
  return folder;
}

/** No data from outside: not of this machine's user, nor of its variables. */
const emptyHome = temporaryFolder();
const isolated = {
  HOME: emptyHome,
  XDG_CACHE_HOME: join(emptyHome, 'cache'),
  LOCALAPPDATA: emptyHome,
  SKIPLANE_DATA: '',
};

/** Runs the built command line as a process of its own. */
export function skiplane(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...isolated, NO_COLOR: '1', ...options.env };
    const child = spawn(process.execPath, [bin, ...args], { cwd: options.cwd ?? emptyHome, env });
    options.onStart?.(child);
    let [stdout, stderr] = ['', ''];
    const hear = (): void => options.onOutput?.(stdout + stderr, child);
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      hear();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      hear();
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
    // A command that fails early closes its end first.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input);
  });
}

/** The lines of a text as JSON. */
export function jsonLines(text: string): unknown[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}
