/**
 * Builds the package in the current folder from the entries of its exports (an app: from src/main.ts).
 *
 * What `default` names is for bundlers: a module in dist/ for each in src/, so that a page takes only what it uses, and loads
 * later what it uses later. What `node` names is for Node, and an app is, too, which takes about a millisecond to load a
 * module: all that the first entry imports at once is one chunk, and there are few others.
 */
import { readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { rolldown } from 'rolldown';

const source = '@skiplane/source';
const { exports = {} } = JSON.parse(readFileSync('package.json', 'utf8'));
const entries = Object.values(exports).filter((target) => target[source] !== undefined);
/** Modules that the first entry imports, once they are known. */
let atOnce;

rmSync('dist', { recursive: true, force: true });
if (entries.length === 0) await build({ main: './src/main.ts' }, chunksIn('dist'));
else await build(entriesOf('default', 'dist'), { dir: 'dist', preserveModules: true, preserveModulesRoot: 'src' });
if (entries.some(({ node }) => node !== undefined))
  await build(entriesOf('node', 'dist/bundle'), chunksIn('dist/bundle'));

/** Sources, by the names of what is built of them: `index` for ./dist/index.js. */
function entriesOf(condition, dir) {
  return Object.fromEntries(
    entries.map((target) => [target[condition].slice(`./${dir}/`.length, -'.js'.length), target[source]]),
  );
}

function chunksIn(dir) {
  return { dir, chunkFileNames: '[name]-[hash].js', codeSplitting: { groups: [{ name: sharedChunk }] } };
}

/** The name of the chunk of all that the first entry imports at once; null for other modules. */
function sharedChunk(id, graph) {
  atOnce ??= importedBy(resolve(entries[0]?.[source] ?? './src/main.ts'), graph);
  // Not an app's own entry, which waits for chunks that import this one.
  return atOnce.has(id) && id !== resolve('src/main.ts') ? 'shared' : null;
}

function importedBy(id, graph, found = new Set()) {
  if (found.has(id)) return found;
  found.add(id);
  for (const imported of graph.getModuleInfo(id)?.importedIds ?? []) importedBy(imported, graph, found);
  return found;
}

async function build(input, output) {
  const bundle = await rolldown({
    input,
    // Dependencies, other packages of this repository among them; not the helpers of the transform.
    external: /^(?![./\0]|@oxc-project\/runtime)/,
    platform: 'neutral',
    // An import that inlining leaves empty would stay, and bundlers would warn of it.
    optimization: { inlineConst: false },
    // As in tsconfig.base.json: no `using`, which Node 20 does not know.
    transform: { target: 'es2022' },
  });
  // Documentation is in the declarations.
  await bundle.write({ format: 'esm', sourcemap: true, comments: { jsdoc: false }, ...output });
  await bundle.close();
}
