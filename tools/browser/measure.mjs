/**
 * Measures training in headless Chromium beside Node's on this machine, in turns: node tools/browser/measure.mjs [wasm|gpu] [rounds].
 * `wasm`: images a second on 1 and 2 threads, delays of the page, time to the first step, and what a page downloads. `gpu`: on SwiftShader.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import { modelConfig, syntheticDataset, train } from '@skiplane/resnet';
import { rolldown } from 'rolldown';
import { Site } from '../../packages/browser/test/site.mjs';
import { launchChromium, softwareGpu } from '../../testing/chromium.mjs';

const [what = 'wasm', rounds = '2'] = process.argv.slice(2);
const jobs = {
  wasm: {
    data: { kind: 'synthetic', train: 1280, test: 128, seed: 1 },
    run: { model: 'resnet20v1', epochs: 1, batchSize: 128, seed: 1, learningRate: 1e-3, augment: true },
    backends: [1, 2].map((threads) => ({ backend: 'wasm', threads, binary: 'relaxed-simd' })),
  },
  gpu: {
    data: { kind: 'synthetic', train: 128, test: 32, seed: 1 },
    run: {
      model: 'resnet8v1',
      epochs: 1,
      batchSize: 32,
      evaluationBatchSize: 32,
      seed: 1,
      learningRate: 1e-3,
      augment: false,
    },
    backends: [{ backend: 'gpu', software: true }],
  },
};
const job = jobs[what];
if (job === undefined)
  throw new Error(`there is nothing called '${what}' to measure: say ${Object.keys(jobs).join(' or ')}.`);

const folder = await mkdtemp(join(tmpdir(), 'skiplane-measure-'));
try {
  console.log(
    `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`,
  );
  await bundlePage();
  await measure();
} finally {
  await rm(folder, { recursive: true });
}

/** Bundles and minifies the page. */
async function bundlePage() {
  const bundle = await rolldown({ input: fileURLToPath(new URL('page.js', import.meta.url)), platform: 'browser' });
  await bundle.write({ dir: folder, format: 'esm', minify: true });
  await bundle.close();
  await writeFile(
    join(folder, 'index.html'),
    '<!doctype html><title>measure</title><link rel="icon" href="data:,"><body><script type="module" src="page.js"></script>',
  );
}

async function measure() {
  const site = await Site.open(folder, { isolated: true });
  const browser = await launchChromium(softwareGpu);
  console.log(`Chromium ${browser.version()}; ${JSON.stringify(job.run)}, ${job.data.train} images`);
  try {
    for (let round = 0; round < Number(rounds); round++) {
      for (const backend of job.backends) {
        sayPage(await inPage(browser, site.url, backend));
        if (backend.backend === 'wasm') console.log(`Node      ${await inNode(backend)}`);
      }
    }
  } finally {
    await browser.close();
    await site.close();
  }
}

async function inPage(browser, url, backend) {
  const page = await browser.newPage();
  try {
    await page.goto(url);
    await page.waitForFunction('globalThis.trainHere');
    const { data, run } = job;
    // One step, and all of its compilation, in a fresh worker; then the run.
    const first = { ...data, train: run.batchSize };
    const step = await page.evaluate(
      (args) => globalThis.trainHere(...args),
      [backend, first, { ...run, progressSeconds: 0 }],
    );
    const whole = await page.evaluate((args) => globalThis.trainHere(...args), [backend, data, run]);
    const scripts = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
    await sayDownload(
      scripts.filter((script) => script.startsWith(`${url}/`)).map((script) => script.slice(url.length)),
    );
    return { ...whole, openMilliseconds: step.openMilliseconds, firstStepMilliseconds: step.firstStepMilliseconds };
  } finally {
    await page.close();
  }
}

async function sayDownload(scripts) {
  const files = await Promise.all(scripts.map((name) => readFile(join(folder, name))));
  const [raw, zipped] = [files, files.map((bytes) => gzipSync(bytes, { level: 9 }))].map((all) =>
    all.reduce((sum, { length }) => sum + length, 0),
  );
  console.log(`the page has loaded ${scripts.length} scripts, ${kilobytes(raw)}, gzipped ${kilobytes(zipped)}`);
}

function sayPage({ device, speeds, openMilliseconds, firstStepMilliseconds, longestGap, longTasks }) {
  const tasks =
    longTasks.length === 0 ? 'no task of 50 ms or more' : `long tasks: ${longTasks.map(milliseconds).join(', ')}`;
  console.log(
    `Chromium  ${device}: ${speeds.map(rate).join(', ')} images/s; worker and backend open after ${milliseconds(openMilliseconds)}, ` +
      `first step done ${milliseconds(firstStepMilliseconds)} after train(); ${tasks}, a timer of 4 ms was late by ${milliseconds(longestGap - 4)} at most`,
  );
}

async function inNode({ threads, binary }) {
  const { data, run } = job;
  const backend = await createWasmBackend({ threads, binary });
  const [images, test] = ['train', 'test'].map((split) => syntheticDataset({ ...data, split, count: data[split] }));
  const speeds = [];
  for await (const event of train({ ...run, backend, model: modelConfig(run.model), train: images, test })) {
    if (event.type === 'epoch') speeds.push(event.record.imagesPerSecond);
  }
  const { device } = backend.info;
  backend.dispose();
  return `${device}: ${speeds.map(rate).join(', ')} images/s`;
}

function rate(imagesPerSecond) {
  return imagesPerSecond.toFixed(0);
}

function milliseconds(value) {
  return `${value.toFixed(0)} ms`;
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(0)} kB`;
}
