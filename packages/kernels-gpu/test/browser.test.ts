import { UnsupportedError, type Tensor } from '@skiplane/core';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openNodeAdapter } from '../src/node-gpu.ts';
import { createGpuBackend, listGpuAdapters } from '../src/index.ts';
import { doubling, f32 } from './support/graphs.ts';
import { softwareDrivers } from './software.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Takes away what tells Node from a browser. */
function leaveNode(): void {
  vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined);
}

/** A `navigator` whose `gpu` offers Dawn's software adapter, and what it was asked for with. */
function dawnNavigator() {
  const asked: (GPURequestAdapterOptions | undefined)[] = [];
  const opened = drivers.map(({ software }) => openNodeAdapter({ ...noChoice, software }));
  const requestAdapter = async (options?: GPURequestAdapterOptions) => {
    asked.push(options);
    return (await opened[0])?.adapter ?? null;
  };
  return { asked, opened, navigator: { gpu: { requestAdapter } } };
}

const noChoice = { adapter: undefined, powerPreference: undefined };
const drivers = await softwareDrivers();

describe('a browser without WebGPU', () => {
  test.each([
    ['no navigator', undefined],
    ['a navigator without gpu', {}],
  ])('%s', async (_, navigator) => {
    vi.stubGlobal('navigator', navigator);
    leaveNode();
    const problem = await createGpuBackend().catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(UnsupportedError);
    expect(String(problem)).toMatch(
      /has no navigator\.gpu, or the page is not served over https .* WebAssembly \(the wasm backend\)\.$/,
    );
    await expect(listGpuAdapters()).rejects.toThrow('WebGPU is not to be had');
  });
});

describe.runIf(drivers.length > 0)('a browser with WebGPU', () => {
  test('computes on navigator.gpu', async () => {
    const { navigator, asked, opened } = dawnNavigator();
    await Promise.all(opened);
    vi.stubGlobal('navigator', navigator);
    leaveNode();
    using backend = await createGpuBackend({ software: true });
    expect(asked).toEqual([{ forceFallbackAdapter: true }]);
    const tensors = new Map<string, Tensor>([
      ['x', backend.tensor(f32(5), Float32Array.of(1, 2, 3, 4, 5))],
      ['y', backend.tensor(f32(5))],
    ]);
    const program = await backend.compile(doubling(), tensors);
    await program.run();
    expect(await tensors.get('y')?.read()).toEqual(Float32Array.of(3, 5, 7, 9, 11));
  });

  test('takes its adapter by name, and never a software adapter unasked', async () => {
    const { navigator, asked, opened } = dawnNavigator();
    await Promise.all(opened);
    vi.stubGlobal('navigator', navigator);
    leaveNode();
    await expect(createGpuBackend({ powerPreference: 'low-power' })).rejects.toThrow(
      /^the only adapter is '.*', which computes on the processor/,
    );
    expect(asked).toEqual([{ forceFallbackAdapter: false, powerPreference: 'low-power' }]);
    const [name = ''] = await listGpuAdapters();
    using backend = await createGpuBackend({ adapter: name });
    expect(backend.info.device).toBe(`gpu, software adapter ${name} (computes on the processor)`);
  });

  test('an adapter that gives no device says why', async () => {
    const { navigator, opened } = dawnNavigator();
    await Promise.all(opened);
    vi.stubGlobal('navigator', navigator);
    const first = await createGpuBackend({ software: true });
    first.dispose();
    // An adapter gives one device only.
    await expect(createGpuBackend({ software: true })).rejects.toThrow(/^the adapter '.*' gives no device: /);
  });
});
