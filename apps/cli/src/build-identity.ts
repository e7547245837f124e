import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BackendName } from './backend-names.ts';

/** The packages that compute on every backend; what the command line itself does changes no bit of a result. */
const commonPackages = ['@skiplane/core', '@skiplane/resnet'];

const kernelPackages: Readonly<Record<Exclude<BackendName, 'auto'>, readonly string[]>> = {
  wasm: ['@skiplane/kernels-wasm'],
  gpu: ['@skiplane/kernels-gpu'],
  reference: [],
};

/**
 * SHA-256 of the code that computes: two installations with the same one are the same program.
 * @param backend  by its name
 */
export async function buildIdentity(backend: string): Promise<string> {
  const hash = createHash('sha256');
  const own = Object.entries(kernelPackages).flatMap(([name, packages]) => (name === backend ? packages : []));
  for (const name of [...commonPackages, ...own]) {
    const folder = dirname(fileURLToPath(import.meta.resolve(name)));
    for (const file of await codeFiles(folder)) {
      const content = createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
      hash.update(`${name}/${relative(folder, file).split(sep).join('/')} ${content}\n`);
    }
  }
  return hash.digest('hex');
}

async function codeFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}
