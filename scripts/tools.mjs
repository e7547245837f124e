import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const quiet = { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };

/**
 * Runs a command without stdin and returns its exit code, its output when captured, and the seconds it took.
 * With `show`, the output goes to the terminal as it comes and is not captured.
 */
export function run(command, args, { cwd = root, show = false, shell = false } = {}) {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const stdio = show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'];
    const child = spawn(command, args, { cwd, shell, stdio, env: { ...process.env, ...quiet } });
    const chunks = [];
    child.stdout?.on('data', (chunk) => chunks.push(chunk));
    child.stderr?.on('data', (chunk) => chunks.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      const seconds = (performance.now() - started) / 1000;
      const text = Buffer.concat(chunks).toString();
      const output = process.stdout.isTTY ? text : stripVTControlCharacters(text);
      resolve({ code: code ?? 1, output, seconds });
    });
  });
}

/** Runs the command that an installed npm package provides. */
export function runBin(packageName, args, options = {}) {
  const { bin = packageName, ...rest } = options;
  const directory = join(root, 'node_modules', packageName);
  const manifest = readManifest(directory);
  const path = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[bin];
  return run(process.execPath, [join(directory, path), ...args], rest);
}

export function readManifest(directory) {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
}

/** The packages of this repository, in the order of their folders, packages before apps. */
export function workspaces() {
  return ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(root, group), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(root, group, entry.name))
      .flatMap((directory) => {
        try {
          return [{ directory, manifest: readManifest(directory) }];
        } catch (error) {
          if (error.code === 'ENOENT') return [];
          throw error;
        }
      }),
  );
}

/** Prints rows as a table; the first row is the heading, every column but the first is right-aligned. */
export function printTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? String(cell).padEnd(widths[column]) : String(cell).padStart(widths[column]),
    );
    console.log(`  ${cells.join('   ')}`);
  }
}
