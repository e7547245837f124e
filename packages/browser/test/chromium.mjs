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

/** Starts headless Chromium: the one of the system, else the one that an npm package carries. */
export async function launchChromium() {
  if (existsSync(installed)) return await playwright.launch({ executablePath: installed, args: softwareGpu });
  return await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [...chromium.args, ...softwareGpu],
  });
}
