import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium, softwareGpu } from '../../../testing/chromium.mjs';
import { data, runInNode, runInPage, shortRun, type RunOutcome } from './short-run.ts';
import { Site } from './site.mjs';
import { visit } from './visit.ts';

const repository = {
  folder: fileURLToPath(new URL('../../../', import.meta.url)),
  path: 'packages/browser/test/pages/import-map.html',
};
let browser: Browser;
let node: RunOutcome;

beforeAll(async () => {
  browser = await launchChromium(softwareGpu);
  node = await runInNode({ binary: 'simd', threads: 2 });
});
afterAll(() => browser.close());

/** All that a page must allow, and no more; the nonce is for its own inline scripts. */
const strictPolicy =
  "default-src 'none'; script-src 'self' 'nonce-test' 'wasm-unsafe-eval'; worker-src blob:; connect-src 'self'; img-src data:";

test('two threads in an isolated page with a strict policy give the bits of Node', async () => {
  const { info, ...outcome } = await visit(browser, { ...repository, isolated: true, policy: strictPolicy }, (page) =>
    runInPage(page, { backend: 'wasm', binary: 'simd', threads: 2 }),
  );
  expect(outcome).toEqual(node);
  expect(info).toMatchObject({ device: 'wasm simd, 2 threads', downgrades: [] });
});

test('a strict policy lets ONNX be written, and read from a file piece by piece', async () => {
  const { format, bytes, again } = await visit(
    browser,
    { ...repository, isolated: true, policy: strictPolicy },
    (page) =>
      page.evaluate(
        async ([images, run]) => {
          const trainer = await createTrainer({ backend: 'wasm', binary: 'simd', threads: 1 });
          await trainer.loadData(images);
          for await (const event of trainer.train(run)) void event;
          const save = async () =>
            (await trainer.save('onnx', 'a.onnx')).files.get('a.onnx') as Uint8Array<ArrayBuffer>;
          const written = await save();
          const loaded = await trainer.load(new File([written], 'a.onnx'));
          const anew = await save();
          trainer.dispose();
          return { format: loaded.format, bytes: [...written], again: [...anew] };
        },
        [
          { ...data, train: 16, test: 4, size: 8 },
          { ...shortRun, model: 'plain8', batchSize: 8, epochs: 1 },
        ] as const,
      ),
  );
  expect(format).toBe('onnx');
  expect(bytes.length).toBeGreaterThan(100_000);
  expect(again).toEqual(bytes);
});

/** As in a browser that does not know `Symbol.dispose`. */
const withoutDispose = `
  const Real = Symbol;
  const { dispose, asyncDispose, ...known } = Object.getOwnPropertyDescriptors(Real);
  globalThis.Symbol = Object.defineProperties(function (text) { return Real(text); }, known);`;

test('a page that is not isolated has one thread, says why, and gives the same bits, without Symbol.dispose too', async () => {
  const { info, ...outcome } = await visit(
    browser,
    { ...repository, isolated: false, before: withoutDispose },
    async (page) => {
      expect(await page.evaluate('[Symbol.dispose, typeof Symbol.iterator]')).toEqual([undefined, 'symbol']);
      return await runInPage(page, { backend: 'wasm', binary: 'simd', threads: 2 });
    },
  );
  expect(outcome).toEqual(node);
  expect(info.threads).toBe(1);
  expect(info.downgrades).toEqual([
    { feature: 'threads', reason: expect.stringMatching(/1 thread instead of 2: .*not cross-origin isolated; serve/) },
  ]);
});

test('an isolated page in a browser that shares no memory has one thread, and says why', async () => {
  const info = await visit(
    browser,
    { ...repository, isolated: true, before: 'delete globalThis.SharedArrayBuffer;' },
    (page) => page.evaluate(async () => (await createTrainer({ backend: 'wasm', threads: 2 })).info),
  );
  expect(info.threads).toBe(1);
  expect(info.downgrades).toMatchObject([
    { feature: 'threads', reason: '1 thread instead of 2: this browser lets workers share no memory' },
  ]);
});

test('a training run on WebGPU follows the one on wasm', async () => {
  // As few kernels as a net can have: SwiftShader compiles each for a large part of a second.
  const small = {
    images: { ...data, train: 16, test: 4, size: 8 },
    run: { ...shortRun, model: 'plain8', batchSize: 4, evaluationBatchSize: 4, augment: false },
  } as const;
  const { wasm, gpu } = await visit(browser, { ...repository, isolated: false }, async (page) => ({
    wasm: await runInPage(page, { backend: 'wasm', conv: 'direct' }, small),
    gpu: await runInPage(page, { backend: 'gpu', software: true, conv: 'direct' }, small),
  }));
  expect(gpu.info.device).toMatch(/SwiftShader/i);
  expect(gpu.losses).toHaveLength(2);
  gpu.losses.forEach((loss, epoch) => expect(loss).toBeCloseTo(wasm.losses[epoch] as number, 4));
  expect(gpu.losses[1]).not.toBeCloseTo(gpu.losses[0] as number, 2);
}, 180_000);

test('a run that is paused, stopped, saved, loaded and trained on gives the bits of one that is not', async () => {
  const { held, stopped, resumed, sha256 } = await visit(browser, { ...repository, isolated: true }, (page) =>
    page.evaluate(
      async ([images, run]) => {
        const open = { backend: 'wasm', binary: 'simd', threads: 2 } as const;
        const first = await createTrainer(open);
        await first.loadData(images);
        const events = first.train({ ...run, progressSeconds: 0 });
        await events.next();
        await first.pause();
        let arrived = false;
        const next = (async () => {
          for (;;) {
            const { done, value } = await events.next();
            if (done === true || value.type === 'epoch') return (arrived = true);
          }
        })();
        await new Promise((resolve) => setTimeout(resolve, 200));
        const standsStill = !arrived;
        await first.resume();
        await next;
        await first.stop();
        let last = await events.next();
        while (last.done !== true) last = await events.next();
        const file = (await first.save('skiplane-checkpoint', 'a')).files.get('a') as Uint8Array<ArrayBuffer>;
        first.dispose();

        const second = await createTrainer(open);
        await second.loadData(images);
        const { training } = await second.load(new Blob([file]));
        for await (const event of second.train({ ...run, resume: true })) if (event.type === 'end') break;
        const { files } = await second.save('skiplane-checkpoint', 'b');
        const digest = await crypto.subtle.digest('SHA-256', files.get('b') as Uint8Array<ArrayBuffer>);
        second.dispose();
        const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
        return { held: standsStill, stopped: last.value, resumed: training, sha256: hex };
      },
      [data, shortRun] as const,
    ),
  );
  expect(held).toBe(true);
  expect(stopped).toMatchObject({ interrupted: true });
  expect(resumed).toMatchObject({ epochsDone: expect.any(Number), epochs: 2 });
  expect(sha256).toBe(node.sha256);
});

/** How a trainer does not start, which it must not do. */
function refusalIn(page: Page) {
  return page.evaluate(() =>
    createTrainer({ backend: 'wasm' }).then(
      () => null,
      ({ code, message }) => ({ code, message }),
    ),
  );
}

const whatToAllow = { code: 'WORKER', message: expect.stringContaining('worker-src blob:') };

test('a page whose policy lets no worker start is told what to allow', async () => {
  const policy = strictPolicy.replace('worker-src blob:', "worker-src 'none'");
  const site = await Site.open(repository.folder, { isolated: true, policy });
  const page = await browser.newPage();
  await page.goto(`${site.url}/${repository.path}`);
  await page.waitForFunction('globalThis.createTrainer');
  const refusal = await refusalIn(page);
  await page.close();
  await site.close();
  expect(refusal).toMatchObject(whatToAllow);
});

test('so is one in a browser that refuses at once, as Safari does', async () => {
  const before = `globalThis.Worker = class {
    constructor() { throw new DOMException('The operation is insecure.', 'SecurityError'); }
  };`;
  expect(await visit(browser, { ...repository, isolated: true, before }, refusalIn)).toMatchObject(whatToAllow);
});

test('a picture is looked at, and errors come with class, code and details', async () => {
  const seen = await visit(browser, { ...repository, isolated: false }, (page) =>
    page.evaluate(
      async ([images, run]) => {
        const trainer = await createTrainer({ backend: 'wasm' });
        const errors: { readonly name: string; readonly code: string; readonly details: object }[] = [];
        const caught = async (action: Promise<unknown>): Promise<void> => {
          await action.catch((error) => errors.push({ name: error.name, code: error.code, details: error.details }));
        };
        await caught(trainer.predict(new Uint8Array(3)));
        await trainer.loadData(images);
        await caught(trainer.train({ ...run, epochs: 0 }).next());
        await caught(trainer.images({ split: 'test', indices: [40] }));
        for await (const event of trainer.train(run)) if (event.type === 'checkpoint') break;
        const { pixels, labels } = await trainer.images({ split: 'test', indices: [13] });
        const canvas = new OffscreenCanvas(images.size, images.size);
        const picture = new ImageData(images.size, images.size);
        for (let i = 0; i < pixels.length / 3; i++)
          picture.data.set([...pixels.subarray(3 * i, 3 * i + 3), 255], 4 * i);
        canvas.getContext('2d')?.putImageData(picture, 0, 0);
        const predictions = [
          await trainer.predict(pixels, { topK: 2 }),
          await trainer.predict(await canvas.convertToBlob(), { topK: 2 }),
          await trainer.predict(picture, { topK: 2 }),
        ];
        const { count, confusion } = await trainer.evaluate();
        const waiting = trainer.evaluate();
        trainer.dispose();
        await caught(waiting);
        await caught(trainer.pause());
        return { errors, labels: [...labels], predictions, count, classes: confusion.length };
      },
      [data, shortRun] as const,
    ),
  );
  expect(seen.errors).toMatchObject([
    { name: 'ValueError', code: 'VALUE' },
    { name: 'ValueError', code: 'VALUE', details: { problems: [expect.stringContaining('epochs')] } },
    { name: 'ValueError', code: 'VALUE', details: { wrong: [40], count: 40 } },
    { name: 'DisposedError', code: 'DISPOSED' },
    { name: 'DisposedError', code: 'DISPOSED' },
  ]);
  expect(seen).toMatchObject({ labels: [3], count: 40, classes: 10 });
  const [bytes, file, pixels] = seen.predictions;
  expect(bytes).toHaveLength(2);
  expect(file).toEqual(bytes);
  expect(pixels).toEqual(bytes);
});
