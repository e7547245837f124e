import { existsSync } from 'node:fs';
import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';

const installed = '/usr/bin/chromium';

/** WebGPU on SwiftShader, which computes on the processor. */
export const softwareGpu = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--ignore-gpu-blocklist',
];

/** A picture that moves in place of a camera, which the page may use unasked. */
export const pretendedCamera = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

/**
 * Starts headless Chromium: the one of the system, else the one that an npm package carries. That package's own arguments are
 * left out: with them no page is cross-origin isolated.
 * @param {readonly string[]} args  of the command line, such as the ones above
 */
export async function launchChromium(args) {
  const executablePath = existsSync(installed) ? installed : await chromium.executablePath();
  return await playwright.launch({ executablePath, args: [...args] });
}
