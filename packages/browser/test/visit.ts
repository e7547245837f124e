import type { Browser, Page } from 'playwright-core';
import type * as Gpu from '@skiplane/kernels-gpu';
import type * as Wasm from '@skiplane/kernels-wasm';
import type * as Resnet from '@skiplane/resnet';
import type { createTrainer as CreateTrainer } from '../src/index.ts';
import { Site } from './site.mjs';

declare global {
  // oxlint-disable-next-line eslint/no-var -- the only way to declare a global of a page
  var createTrainer: typeof CreateTrainer;
  /** What the bundled page imports of the other packages. */
  // oxlint-disable-next-line eslint/no-var -- the only way to declare a global of a page
  var skiplane: typeof Gpu & typeof Wasm & typeof Resnet;
}

/** Where a page is, and the headers that it comes with. */
export interface PageOptions {
  readonly folder: string;
  readonly path: string;
  /** Cross-origin isolated. */
  readonly isolated: boolean;
  /** A Content-Security-Policy. */
  readonly policy?: string;
  /** A script that runs before anything else, in the page and in its workers. */
  readonly before?: string;
}

/** Puts a script in front of the page's own, and of all that become workers. */
function everywhere(script: string): string {
  return `{
    ${script}
    const first = ${JSON.stringify(`{${script}}`)};
    globalThis.Blob = class extends Blob {
      constructor(parts = [], options) {
        super(options?.type === 'text/javascript' ? [first, ...parts] : parts, options);
      }
    };
  }`;
}

/** Opens a page, does something there, and fails when the page has written an error or a warning to its console. */
export async function visit<T>(
  browser: Browser,
  { folder, path, before, ...options }: PageOptions,
  action: (page: Page) => Promise<T>,
): Promise<T> {
  const site = await Site.open(folder, options);
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', ({ message }) => complaints.push(message));
  if (before !== undefined) await page.addInitScript({ content: everywhere(before) });
  try {
    await page.goto(`${site.url}/${path}`);
    await page.waitForFunction('globalThis.createTrainer');
    const result = await action(page);
    if (complaints.length > 0) throw new Error(`the page complains:\n${complaints.join('\n')}`);
    return result;
  } finally {
    await page.close();
    await site.close();
  }
}
