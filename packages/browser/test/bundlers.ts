import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import webpack from 'webpack';

const entry = fileURLToPath(new URL('pages/page.js', import.meta.url));

/** Bundles the tests' page into a folder with an index.html, with nothing configured but where from and where to; gives the warnings. */
export type Bundle = (folder: string) => Promise<readonly string[]>;

export const bundlers: Readonly<Record<string, Bundle>> = {
  async vite(folder) {
    const warnings: string[] = [];
    await vite({
      root: dirname(entry),
      configFile: false,
      logLevel: 'silent',
      build: {
        outDir: folder,
        chunkSizeWarningLimit: Infinity,
        rolldownOptions: { input: join(dirname(entry), 'index.html'), onwarn: ({ message }) => warnings.push(message) },
      },
    });
    return warnings;
  },

  webpack(folder) {
    const compiler = webpack({
      mode: 'production',
      // Terser alone takes half a minute.
      optimization: { minimize: false },
      entry,
      output: { path: folder, filename: 'page.js' },
      performance: false,
    });
    return new Promise((resolve, reject) => {
      compiler?.run((error, stats) => {
        const { errors = [], warnings = [] } = stats?.toJson({ all: false, errors: true, warnings: true }) ?? {};
        if (error !== null) reject(error);
        else
          resolve(
            writeIndex(
              folder,
              [...errors, ...warnings].map(({ message }) => message),
            ),
          );
      });
    });
  },

  async esbuild(folder) {
    const { warnings } = await esbuild({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      format: 'esm',
      splitting: true,
      outdir: folder,
      logLevel: 'silent',
    });
    return await writeIndex(
      folder,
      warnings.map(({ text }) => text),
    );
  },
};

async function writeIndex(folder: string, warnings: readonly string[]): Promise<readonly string[]> {
  const script = '<script type="module" src="page.js"></script>';
  await writeFile(
    join(folder, 'index.html'),
    `<!doctype html><title>page</title><link rel="icon" href="data:,">${script}`,
  );
  return warnings;
}
