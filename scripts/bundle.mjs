/**
 * Bundles the package in the current folder: each entry of its exports (an app: src/main.ts), and one chunk for each part that is
 * imported when it is used. Node takes about a millisecond to load a module, and a browser a request.
 */
import { readFileSync, rmSync } from 'node:fs';
import { rolldown } from 'rolldown';

const source = '@skiplane/source';
const { exports = {} } = JSON.parse(readFileSync('package.json', 'utf8'));
const entries = Object.values(exports)
  .filter((target) => target[source] !== undefined)
  .map((target) => [target.default.replace(/^\.\/dist\/|\.js$/g, ''), target[source]]);

rmSync('dist', { recursive: true, force: true });
const bundle = await rolldown({
  input: entries.length > 0 ? Object.fromEntries(entries) : { main: './src/main.ts' },
  // Dependencies, other packages of this repository among them; not the helpers of the transform.
  external: /^(?![./\0]|@oxc-project\/runtime)/,
  platform: 'neutral',
  // As in tsconfig.base.json: no `using`, which Node 20 does not know.
  transform: { target: 'es2022' },
});
await bundle.write({ dir: 'dist', format: 'esm', sourcemap: true, chunkFileNames: '[name]-[hash].js' });
await bundle.close();
