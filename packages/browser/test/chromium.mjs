import { existsSync } from 'node:fs';
import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';

const installed = '/usr/bin/chromium';

/** WebGPU on SwiftShader, which computes on the processor. */
const softwareGpu = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--ignore-gpu-blocklist',
];

/**
 * Starts headless Chromium: the one of the system, else the one that an npm package carries. That package's own arguments are
 * left out: with them no page is cross-origin isolated.
 */
export async function launchChromium() {
  const executablePath = existsSync(installed) ? installed : await chromium.executablePath();
  return await playwright.launch({ executablePath, args: softwareGpu });
}
