import { existsSync } from 'node:fs';
import chromium from '@sparticuz/chromium';
import { chromium as playwright, type Browser } from 'playwright-core';

const installed = '/usr/bin/chromium';

/** Starts headless Chromium: the one of the system, else the one that an npm package carries. */
export async function launchChromium(): Promise<Browser> {
  if (existsSync(installed)) return await playwright.launch({ executablePath: installed });
  return await playwright.launch({ executablePath: await chromium.executablePath(), args: chromium.args });
}
