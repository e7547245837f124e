// What a page downloads, as a bundler makes it: npm run size
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { printTable, root, run } from './tools.mjs';

const wasm = { 'kernels-wasm': ['createWasmBackend'] };
const gpu = { 'kernels-gpu': ['createGpuBackend'] };
const loads = { resnet: ['loadModel', 'Predictor'] };
const trains = { resnet: ['evaluateModel', 'loadModel', 'modelConfig', 'Predictor', 'train'] };

/** What pages use, and how many bytes they may load at their start, and until they have used all of it, minified and gzipped. */
const entries = [
  { name: 'wasm: train, evaluate, load, predict', uses: { ...wasm, ...trains }, limits: [57_000, 83_000] },
  { name: 'the same with the gpu backend', uses: { ...wasm, ...gpu, ...trains }, limits: [84_000, 109_500] },
  { name: 'wasm: load, predict', uses: { ...wasm, ...loads }, limits: [37_500, 56_000] },
  { name: 'the same with the gpu backend', uses: { ...wasm, ...gpu, ...loads }, limits: [64_500, 82_500] },
];

/** A page for page-run.mjs. */
function pageOf(uses) {
  const imports = Object.entries(uses).map(
    ([name, names]) => `import { ${names.join(', ')} } from '@skiplane/${name}';\n`,
  );
  return `${imports.join('')}globalThis.page = { ${Object.values(uses).flat().join(', ')} };\n`;
}

/** Vite's own settings for a page that is minified. */
const asVite = { comments: false, topLevelVar: true };

const entryFile = join(root, 'packages/resnet/dist/page.js');

async function measure({ uses }) {
  const bundle = await rolldown({
    input: entryFile,
    platform: 'browser',
    external: /^node:/,
    // As Vite bundles a page, from which nobody imports.
    preserveEntrySignatures: false,
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entryFile ? id : null),
        load: (id) => (id === entryFile ? pageOf(uses) : null),
      },
    ],
  });
  const options = {
    ...asVite,
    format: 'esm',
    minify: true,
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name].mjs',
  };
  const { output } = await bundle.generate(options);
  const bytes = new Map(output.map((chunk) => [chunk.fileName, gzipSync(chunk.code, { level: 9 }).length]));
  const loaded = await loadedChunks(bundle, options);
  await bundle.close();
  const total = (names) => [...names].reduce((sum, name) => sum + bytes.get(name), 0);
  const binary = /^(training-)?(relaxed-simd|simd|quantized)(-threads)?\./;
  return {
    start: total(importedBy('page.mjs', output)),
    page: total(loaded),
    // An engine loads one of the binaries, and one of each set of kernels that it needs.
    later: total([...bytes.keys()].filter((name) => !loaded.includes(name) && !binary.test(name))),
  };
}

/** The chunks that a page has loaded when it has done all that it is for: see page-run.mjs. */
async function loadedChunks(bundle, options) {
  const folder = mkdtempSync(join(tmpdir(), 'skiplane-size-'));
  try {
    await bundle.write({ ...options, dir: folder, banner: reportLoading });
    const { code, output } = await run(process.execPath, [
      join(root, 'scripts/page-run.mjs'),
      join(folder, 'page.mjs'),
    ]);
    if (code !== 0) throw new Error(`the page failed:\n${output}`);
    return JSON.parse(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function reportLoading({ fileName }) {
  return `globalThis.loadedChunks.push(${JSON.stringify(fileName)});`;
}

/** A chunk and all that it imports at once. */
function importedBy(fileName, output, found = new Set()) {
  if (found.has(fileName)) return found;
  found.add(fileName);
  output.find((chunk) => chunk.fileName === fileName).imports.forEach((name) => importedBy(name, output, found));
  return found;
}

const rows = await Promise.all(entries.map(async (entry) => ({ ...entry, ...(await measure(entry)) })));
const kilobytes = (bytes) => (bytes / 1000).toFixed(1);
printTable([
  ['kB, minified and gzipped', 'at its start', 'at most', 'by its end', 'at most', 'other formats, on use'],
  ...rows.map(({ name, start, page, later, limits: [first, last] }) => [
    name,
    ...[start, first, page, last, later].map(kilobytes),
  ]),
]);
const over = rows.filter(({ start, page, limits: [first, last] }) => start > first || page > last);
if (over.length > 0) {
  console.error(`error: too large: ${over.map(({ name }) => name).join('; ')}.`);
  process.exitCode = 1;
}
