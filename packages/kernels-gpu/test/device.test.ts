import { UnsupportedError, ValueError } from '@skiplane/core';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type * as Node from '../src/node.ts';
import { openDevice } from '../src/device.ts';
import { createGpuBackend, listGpuAdapters, type GpuBackendOptions } from '../src/index.ts';
import { isolateDrivers, setPlatform } from './support/environment.ts';
import { softwareDrivers } from './software.ts';

const missing = new Set<string>();
vi.mock(import('../src/node.ts'), async (original) => {
  const node: typeof Node = await original();
  return { ...node, findPackage: (name) => (missing.has(name) ? undefined : node.findPackage(name)) };
});

const restores: (() => void)[] = [];
afterEach(() => {
  missing.clear();
  for (const restore of restores.splice(0)) restore();
});

const problemOf = async (options: GpuBackendOptions): Promise<Error> => {
  try {
    using backend = await createGpuBackend(options);
    return new Error(`nothing was thrown, but ${backend.info.device} opened`);
  } catch (error) {
    return error as Error;
  }
};

const names = { swiftshader: /^SwiftShader Device/, llvmpipe: /^llvmpipe \(LLVM/ } as const;

const drivers = await softwareDrivers();

describe.each(drivers)('$software', ({ software }) => {
  test('info names it as software and reports features and limits', async () => {
    using backend = await createGpuBackend({ software });
    const { device, threads, features, limits, downgrades } = backend.info;
    expect(device).toMatch(/^gpu, software adapter .* \(computes on the processor\)$/);
    expect(device.slice('gpu, software adapter '.length)).toMatch(names[software]);
    expect({ threads, downgrades }).toEqual({ threads: 1, downgrades: [] });
    expect(features).toContain('software-adapter');
    expect(limits['maxStorageBufferBindingSize']).toBeGreaterThanOrEqual(2 ** 27);
    expect(limits['maxBufferSize']).toBeGreaterThanOrEqual(2 ** 28);
    expect(limits['maxComputeInvocationsPerWorkgroup']).toBeGreaterThanOrEqual(256);
  });

  test('all features that kernels may use and all that the limits allow are asked for', async () => {
    const { device, features, limits } = await openDevice({ software });
    const useful = ['shader-f16', 'subgroups', 'timestamp-query'] as const;
    expect(features).toEqual(useful.filter((feature) => device.features.has(feature)));
    expect(features).toContain('timestamp-query');
    expect(Object.keys(limits)).toHaveLength(9);
    for (const [name, value] of Object.entries(limits)) {
      expect([name, device.limits[name as 'maxBufferSize']]).toEqual([name, value]);
    }
    device.destroy();
  });
});

test.runIf(drivers[0]?.software === 'swiftshader')(
  'software: true takes the driver that needs the least, and the next where that is not installed',
  async () => {
    using backend = await createGpuBackend({ software: true });
    expect(backend.info.device).toMatch(/SwiftShader/);
    missing.add('@sparticuz/chromium');
    const problem = await problemOf({ software: true });
    if (drivers.length > 1) expect(problem.message).toMatch(/^nothing was thrown, but gpu, software adapter llvmpipe/);
    restores.push(isolateDrivers());
    const neither = await problemOf({ software: true });
    expect(neither).toBeInstanceOf(UnsupportedError);
    expect(neither.message).toMatch(
      /^no software adapter is to be had\. SwiftShader .*: npm install @sparticuz\/chromium\. Or: llvmpipe is not installed: .*mesa-vulkan-drivers/,
    );
  },
);

describe('options that choose nothing', () => {
  test.each<[object, string]>([
    [{ adapter: 'RTX', software: true }, "adapter 'RTX' and software 'true' each choose an adapter: give one of them."],
    [
      { adapter: 0, powerPreference: 'low-power' },
      "adapter '0' and powerPreference 'low-power' each choose an adapter",
    ],
    [
      { powerPreference: 'low-power', software: 'llvmpipe' },
      "powerPreference 'low-power' and software 'llvmpipe' each",
    ],
    [{ software: 'warp' }, "software is 'warp', but must be true, swiftshader or llvmpipe."],
    [{ powerPreference: 'fast' }, "powerPreference is 'fast', but must be low-power or high-performance."],
  ])('%j', async (options, message) => {
    const problem = await problemOf(options);
    expect(problem).toBeInstanceOf(ValueError);
    expect(problem.message).toContain(message);
  });

  test('software: false is no choice', async () => {
    const problem = await problemOf({ adapter: 'no such adapter', software: false });
    expect(problem.message).toMatch(/^no (adapter is named like 'no such adapter'|WebGPU adapter was found)/);
  });
});

describe('what is not installed', () => {
  test('Dawn', async () => {
    missing.add('webgpu');
    const problem = await problemOf({ software: true });
    expect(problem).toBeInstanceOf(UnsupportedError);
    expect(problem.message).toContain("the npm package 'webgpu' (Dawn) is not installed: npm install webgpu");
    await expect(listGpuAdapters()).rejects.toThrow(UnsupportedError);
  });

  test('SwiftShader', async () => {
    missing.add('@sparticuz/chromium');
    const problem = await problemOf({ software: 'swiftshader' });
    expect(problem).toBeInstanceOf(UnsupportedError);
    expect(problem.message).toContain('npm install @sparticuz/chromium');
  });

  test('llvmpipe', async () => {
    restores.push(isolateDrivers());
    const problem = await problemOf({ software: 'llvmpipe' });
    expect(problem).toBeInstanceOf(UnsupportedError);
    expect(problem.message).toMatch(/^llvmpipe is not installed: .*mesa-vulkan-drivers.* or use 'swiftshader'\.$/);
  });

  test.each([
    [
      'linux',
      'arm64',
      'swiftshader',
      /comes for x64, but this is arm64: install mesa-vulkan-drivers and use 'llvmpipe'/,
    ],
    ['darwin', 'arm64', 'swiftshader', /'swiftshader' runs on Linux only, but this is darwin/],
    ['darwin', 'arm64', true, /^software adapters run on Linux only, but this is darwin/],
    ['win32', 'x64', 'llvmpipe', /'llvmpipe' runs on Linux only, but this is win32/],
  ] as const)('on %s-%s, software %s', async (platform, arch, software, message) => {
    restores.push(setPlatform(platform, arch));
    const problem = await problemOf({ software });
    expect(problem).toBeInstanceOf(UnsupportedError);
    expect(problem.message).toMatch(message);
  });
});

describe('adapters of this system', () => {
  test('none: what to install', async () => {
    restores.push(isolateDrivers());
    expect(await listGpuAdapters()).toEqual([]);
    const problem = await problemOf({});
    expect(problem).toBeInstanceOf(UnsupportedError);
    expect(problem.message).toMatch(/^no WebGPU adapter was found/);
    if (process.platform === 'linux') {
      expect(problem.message).toMatch(
        /Install a Vulkan driver .*mesa-vulkan-drivers.*npm package '@sparticuz\/chromium'/,
      );
    }
    for (const adapter of [0, 'no such adapter']) expect((await problemOf({ adapter })).message).toBe(problem.message);
  });

  test('a software adapter opens by name or index, and never unasked', async () => {
    const adapters = await listGpuAdapters();
    const [first] = adapters;
    if (first === undefined || !/llvmpipe/.test(first)) {
      console.log(`left out, since the adapters are: ${adapters.join(', ') || 'none'}`);
      return;
    }
    const problem = await problemOf({});
    expect(problem).toBeInstanceOf(UnsupportedError);
    expect(problem.message).toBe(
      `the only adapter is '${first}', which computes on the processor, slower than the wasm backend. ` +
        'Install a GPU driver, or ask for it: { software: true } or its name.',
    );
    for (const adapter of ['LLVMpipe', 0, first]) {
      using backend = await createGpuBackend({ adapter });
      expect(backend.info.device).toBe(`gpu, software adapter ${first} (computes on the processor)`);
    }
    const wrong = await problemOf({ adapter: 'GeForce' });
    expect(wrong.message).toBe(`no adapter is named like 'GeForce'; adapters: 0: ${first}.`);
  });
});
