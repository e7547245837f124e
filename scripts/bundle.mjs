/**
 * Builds the package in the current folder from the entries of its exports (an app: from src/main.ts): node bundle.mjs [--whole]
 *
 * What `default` names is for bundlers: a module in dist/ for each in src/, so that a page takes only what it uses, and loads
 * later what it uses later. With --whole it is one module, and one for each part that is loaded later: for a package of which a
 * page uses most. Bundlers keep modules apart that parts of a page share, and many small chunks deflate worse.
 *
 * What `node` names is for Node, and an app is, too. Node parses all of a module that it loads, and takes more than half a
 * millisecond to find one: so there are few chunks, a smaller entry does without what only a larger one needs, and of others'
 * packages there is what is used.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { chunkNames, namesOfParts } from './bundle/chunk-names.mjs';
import { inflated } from './bundle/inflated.mjs';
import { licenses } from './bundle/licenses.mjs';

const source = '@skiplane/source';
const { exports = {} } = JSON.parse(readFileSync('package.json', 'utf8'));
const entries = Object.values(exports).filter((target) => target[source] !== undefined);
const modules = { dir: 'dist', preserveModules: true, preserveModulesRoot: 'src' };
/** Others' packages that are loaded with an entry. */
const inlined = /^(?:valibot|wasm-feature-detect)$/;

rmSync('dist', { recursive: true, force: true });
if (entries.length === 0) await build({ main: './src/main.ts' }, chunksIn('dist', ['./src/main.ts']));
else await build(entriesOf('default', 'dist'), process.argv.includes('--whole') ? whole() : modules);
if (entries.some(({ node }) => node !== undefined)) {
  const input = entriesOf('node', 'dist/bundle');
  const chunks = chunksIn('dist/bundle', Object.values(input));
  await build(input, chunks, { inline: inlined, plugins: [inflated(), licenses()] });
}

/** Sources, by the names of what is built of them: `index` for ./dist/index.js. */
function entriesOf(condition, dir) {
  return Object.fromEntries(
    entries.map((target) => [target[condition].slice(`./${dir}/`.length, -'.js'.length), target[source]]),
  );
}

function whole() {
  const group = { name: namesOfParts(resolve(entries[0][source])), debugName: 'parts' };
  return {
    dir: 'dist',
    chunkFileNames: '[name].js',
    codeSplitting: { includeDependenciesRecursively: false, groups: [group] },
  };
}

function chunksIn(dir, paths) {
  const group = { name: chunkNames(paths.map((path) => resolve(path))), debugName: 'entries' };
  return { dir, chunkFileNames: '[name]-[hash].js', codeSplitting: { groups: [group] } };
}

/** @param inline  which of others' packages come into the bundle, as far as they are used */
async function build(input, output, { inline = /^$/, plugins = [] } = {}) {
  const bundle = await rolldown({
    input,
    // Dependencies, other packages of this repository among them; not the helpers of the transform.
    external: (id) => /^(?![./\0]|@oxc-project\/runtime)/.test(id) && !inline.test(id),
    platform: 'neutral',
    plugins,
    // Entries are written as they stand, or by groups that leave them alone.
    preserveEntrySignatures: 'allow-extension',
    // An import that inlining leaves empty would stay, and bundlers would warn of it.
    optimization: { inlineConst: false },
    // As in tsconfig.base.json: no `using`, which Node 20 does not know.
    transform: { target: 'es2022' },
  });
  // Documentation is in the declarations.
  const written = await bundle.write({ format: 'esm', sourcemap: true, comments: { jsdoc: false }, ...output });
  await bundle.close();
  for (const { type, fileName, code } of written.output) {
    if (type === 'chunk') writeFileSync(join(output.dir, fileName), asciiOf(code));
  }
}

/**
 * Escapes mean the same in texts and in regular expressions. Node reads a module of plain ASCII faster, and V8 keeps two bytes
 * for each character of others. Source maps are of the same lines, and behind such a character a few columns off.
 */
function asciiOf(code) {
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
