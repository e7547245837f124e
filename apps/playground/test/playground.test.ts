import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { build, preview, type PreviewServer } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchChromium, pretendedCamera } from '../../../testing/chromium.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
/** An epoch of a fraction of a second. */
const small = 'images=200&batch=20';
let browser: Browser;
let server: PreviewServer;
let page: Page;
/** What the page has written to its console, and errors that nobody caught. */
const complaints: string[] = [];

beforeAll(async () => {
  await build({ root, logLevel: 'error' });
  server = await preview({ root, logLevel: 'error', preview: { port: 0, host: '127.0.0.1' } });
  browser = await launchChromium(pretendedCamera);
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.setDefaultTimeout(30_000);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function open(query: string): Promise<void> {
  await page.goto(`${server.resolvedUrls?.local[0]}?${query}`);
  await page.getByRole('heading', { name: 'Skiplane playground' }).waitFor();
}

/** The newest training loss that the chart tells screen readers. */
async function chartedLoss(): Promise<number> {
  const label = await page.getByRole('img', { name: /^Loss by epochs/ }).getAttribute('aria-label');
  return Number(/training ([\d.]+)/.exec(label ?? '')?.[1]);
}

test('a network trains, is looked into in every view, and goes into a file', { timeout: 120_000 }, async () => {
  await open(`${small}&epochs=2`);
  await page.getByRole('button', { name: 'Train resnet8v1' }).click();
  await page.getByText('Finished.').waitFor();
  await page.getByText(/^100 % of the run: validation accuracy [\d.]+ %$/).waitFor();
  expect(await page.locator('.device').textContent()).toMatch(/^Computes on wasm .*threads?\./);
  expect(await chartedLoss()).toBeGreaterThan(0);
  // The line is drawn: the canvas is not of one colour.
  const colors = await page
    .locator('.plot canvas')
    .first()
    .evaluate((canvas: HTMLCanvasElement) => {
      const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      return new Set(
        Array.from(
          { length: pixels.length / 4 },
          (_, i) => `${pixels[4 * i]},${pixels[4 * i + 1]},${pixels[4 * i + 3]}`,
        ),
      ).size;
    });
  expect(colors).toBeGreaterThan(5);

  // Of the time before this view was opened, too.
  await page.getByRole('tab', { name: 'Layers' }).click();
  await page.getByText(/Faint lines are from earlier in the run, after [\d.]+(, [\d.]+)* epochs/).waitFor();
  await page.getByText('As a table').click();
  expect(await page.getByRole('row').count()).toBe(1 + 7);

  await page.getByRole('tab', { name: 'Inside' }).click();
  await page.getByText('stage3/block1/relu').waitFor();
  expect(await page.getByRole('img', { name: /^Filter \d+$/ }).count()).toBe(16);
  await page.getByRole('img', { name: /^Grad-CAM: where stage3\/block1\/relu sees/ }).waitFor();

  await page.getByRole('tab', { name: 'Mistakes' }).click();
  await page.getByText(/\d+ of 200 test images are right/).waitFor();
  const mistake = page.locator('.mistakes button').first();
  const name = await mistake.getByRole('img').getAttribute('aria-label');
  await mistake.click();
  await page.getByText(name ?? '', { exact: true }).waitFor();

  await page.getByRole('tab', { name: 'Classify' }).click();
  await page.getByLabel('Or drop a picture, or choose one').setInputFiles({
    name: 'picture.png',
    mimeType: 'image/png',
    buffer: await page.locator('.overlay').screenshot(),
  });
  await page.getByText('picture.png').waitFor();
  expect(await page.getByRole('list', { name: 'Probabilities' }).getByRole('listitem').count()).toBe(10);

  await page.getByRole('button', { name: 'Use the camera' }).click();
  await expect
    .poll(() => page.locator('video').evaluate((video: HTMLVideoElement) => video.videoWidth))
    .toBeGreaterThan(0);
  await page.getByRole('button', { name: 'Take this picture' }).click();
  await page.getByText('From the camera').waitFor();
  await page.getByRole('button', { name: 'Close the camera' }).click();

  await page.getByLabel('Family').selectOption('plain');
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save' }).click();
  expect((await saved).suggestedFilename()).toBe('resnet8v1.safetensors');
  await page.getByLabel('Drop a file of weights, or choose one').setInputFiles(await (await saved).path());
  await page.getByText('resnet8v1 is loaded, with 2 of 2 epochs done.').waitFor();
  // It was saved under its own name, and sets the form, which was of another network.
  expect(await page.getByLabel('Family').inputValue()).toBe('resnet');
  await page.getByRole('button', { name: 'Train on from the checkpoint' }).waitFor();
  expect(complaints).toEqual([]);
});

test(
  'the keyboard alone pauses, goes on, compares, and the address keeps all of it',
  { timeout: 120_000 },
  async () => {
    await open(`${small}&epochs=500&network=plain`);
    await page.getByRole('button', { name: 'Train plain8' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('Paused: the network can be looked at.').waitFor();
    const held = await page.getByText(/^\d+ of 500$/).textContent();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await expect.poll(() => page.locator('.progress dd').first().textContent(), { timeout: 20_000 }).not.toBe(held);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('Stopped.').waitFor();

    await page.getByRole('tab', { name: 'Training' }).focus();
    await page.keyboard.press('End');
    await page.getByText('One run is there.').waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('tab-compare');
    await page.getByLabel('Family').selectOption('highway');
    await page.getByLabel('Epochs').fill('0');
    await page.getByText('1 to 500, whole').waitFor();
    await page.getByLabel('Epochs').fill('1');
    await page.getByRole('button', { name: 'Train highway11' }).click();
    await page.getByText('Finished.').waitFor();
    expect(await page.getByRole('row', { name: /^Network/ }).textContent()).toBe('Networkplain8highway11');

    const kept = { images: '200', batch: '20', epochs: '1', network: 'highway', depth: '11', view: 'compare' };
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual(kept);
    await page.reload();
    expect(await page.getByLabel('Family').inputValue()).toBe('highway');
    expect(await page.getByRole('tab', { name: 'Compare' }).getAttribute('aria-selected')).toBe('true');
    expect(complaints).toEqual([]);
  },
);

test('what is missing is said where it is', { timeout: 60_000 }, async () => {
  await open('data=cifar10');
  await page.getByRole('button', { name: 'Train resnet8v1' }).click();
  expect(await page.getByRole('alert').textContent()).toMatch(
    /^CIFAR-10 is not here yet: drop cifar-10-binary\.tar\.gz/,
  );
  await page.getByLabel('Drop a file of weights, or choose one').setInputFiles({
    name: 'weights.h5',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from('no weights'),
  });
  await page.getByRole('complementary').getByRole('alert').waitFor();
  expect(complaints).toEqual([]);
});
