// What a page downloads, as a bundler makes it: npm run size
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { printTable, root } from './tools.mjs';

const train = `
  export { createWasmBackend } from '@skiplane/kernels-wasm';
  export { evaluateModel, loadModel, modelConfig, Predictor, train } from '@skiplane/resnet';`;

/** What pages are made of, and how many bytes they may have, minified and gzipped, with the one binary that an engine loads. */
const entries = [
  { name: 'wasm: train, evaluate, load, predict', code: train, limit: 85_000 },
  {
    name: 'the same with the gpu backend',
    code: `${train} export { createGpuBackend } from '@skiplane/kernels-gpu';`,
    limit: 118_000,
  },
  {
    name: 'wasm: load, predict',
    code: `
      export { createWasmBackend } from '@skiplane/kernels-wasm';
      export { loadModel, Predictor } from '@skiplane/resnet';`,
    limit: 70_000,
  },
];

/** A page loads one of the four, that for its engine. */
const binary = /^(relaxed-)?simd(-threads)?-/;

const entryFile = join(root, 'packages/resnet/dist/entry.js');

async function measure({ code }) {
  const bundle = await rolldown({
    input: entryFile,
    platform: 'browser',
    external: /^node:/,
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entryFile ? id : null),
        load: (id) => (id === entryFile ? code : null),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  const chunks = output.map((chunk) => ({ ...chunk, bytes: gzipSync(chunk.code, { level: 9 }).length }));
  const atOnce = loadedWith(chunks);
  const binaries = chunks.filter(({ fileName }) => binary.test(fileName));
  return {
    code: total([...atOnce].filter((chunk) => !binaries.includes(chunk))),
    binary: Math.max(0, ...binaries.map(({ bytes }) => bytes)),
    later: total(chunks.filter((chunk) => !atOnce.has(chunk) && !binaries.includes(chunk))),
  };
}

const total = (chunks) => chunks.reduce((sum, { bytes }) => sum + bytes, 0);

/** The chunk of the entry, and all that it imports at once. */
function loadedWith(chunks) {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const loaded = new Set();
  const visit = (fileName) => {
    const chunk = byName.get(fileName);
    if (chunk === undefined || loaded.has(chunk)) return;
    loaded.add(chunk);
    chunk.imports.forEach(visit);
  };
  visit(chunks.find(({ isEntry }) => isEntry).fileName);
  return loaded;
}

const rows = await Promise.all(
  entries.map(async ({ name, code, limit }) => ({ name, limit, ...(await measure({ code })) })),
);
const kilobytes = (bytes) => (bytes / 1000).toFixed(1);
printTable([
  ['kB, minified and gzipped', 'code', '+ binary', '= page', 'at most', 'other formats, on use'],
  ...rows.map(({ name, code, binary: wasm, later, limit }) => [
    name,
    kilobytes(code),
    kilobytes(wasm),
    kilobytes(code + wasm),
    kilobytes(limit),
    kilobytes(later),
  ]),
]);
const over = rows.filter(({ code, binary: wasm, limit }) => code + wasm > limit);
if (over.length > 0) {
  console.error(`error: too large: ${over.map(({ name }) => name).join('; ')}.`);
  process.exitCode = 1;
}
