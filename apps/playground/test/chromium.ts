import { existsSync } from 'node:fs';
import chromium from '@sparticuz/chromium';
import { chromium as playwright, type Browser } from 'playwright-core';

const installed = '/usr/bin/chromium';

/** A picture that moves in place of a camera, which the page may use unasked. */
const pretendedCamera = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

/**
 * Starts headless Chromium: the one of the system, else the one that an npm package carries. That package's own arguments are
 * left out: with them no page is cross-origin isolated.
 */
export async function launchChromium(): Promise<Browser> {
  const executablePath = existsSync(installed) ? installed : await chromium.executablePath();
  return await playwright.launch({ executablePath, args: pretendedCamera });
}
