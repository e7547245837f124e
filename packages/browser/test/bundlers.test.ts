import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium, softwareGpu } from '../../../testing/chromium.mjs';
import { bundlers } from './bundlers.ts';
import { data, runInNode, runInPage, shortRun, type RunOutcome } from './short-run.ts';
import { visit } from './visit.ts';

let browser: Browser;
let node: RunOutcome;

beforeAll(async () => {
  browser = await launchChromium(softwareGpu);
  node = await runInNode({ binary: 'simd', threads: 2 });
});
afterAll(() => browser.close());

/** Without the worker: packages one by one, and parts that are loaded when they are used. */
function trainByItself(page: Page) {
  return page.evaluate(
    async ([images, run]) => {
      const { createGpuBackend, createWasmBackend, encodeModel, loadModel, modelConfig, syntheticDataset, train } =
        skiplane;
      const backend = await createWasmBackend({ binary: 'simd', threads: 2 });
      const [first, second] = [images.train, images.test].map((count, i) =>
        syntheticDataset({ ...images, split: i === 0 ? 'train' : 'test', count }),
      );
      if (first === undefined) throw new Error('no images');
      const model = modelConfig(run.model, { imageSize: [images.size, images.size] });
      const events = train({ ...run, backend, model, train: first, test: second });
      let next = await events.next();
      while (next.done !== true) next = await events.next();
      backend.dispose();
      const { files } = await encodeModel(next.value.checkpoint, 'onnx', 'net.onnx');
      const { format } = await loadModel(new Blob([files.get('net.onnx') as Uint8Array<ArrayBuffer>]));
      const refusal = await createGpuBackend().catch(({ name, code }) => [name, code]);
      return { losses: next.value.history.map(({ loss }) => loss), format, refusal };
    },
    [data, shortRun] as const,
  );
}

test.each(Object.entries(bundlers))(
  'bundled by %s, a page trains in a worker and by itself',
  async (_, bundle) => {
    const folder = await mkdtemp(join(tmpdir(), 'skiplane-bundle-'));
    try {
      expect(await bundle(folder)).toEqual([]);
      const outcome = await visit(browser, { folder, path: 'index.html', isolated: true }, async (page) => ({
        worker: await runInPage(page, { backend: 'wasm', binary: 'simd', threads: 2 }),
        page: await trainByItself(page),
      }));
      expect(outcome.worker).toMatchObject(node);
      expect(outcome.page).toEqual({
        losses: node.losses,
        format: 'onnx',
        refusal: ['UnsupportedError', 'UNSUPPORTED'],
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  60_000,
);
