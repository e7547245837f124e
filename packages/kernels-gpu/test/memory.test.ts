import { GraphBuilder, OutOfMemoryError, samePadding, window2d, type Backend, type Graph } from '@skiplane/core';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createGpuBackend } from '../src/index.ts';
import { lowerGraph } from '../src/lower-graph.ts';
import { openNodeAdapter } from '../src/node-gpu.ts';
import { observe } from './support/observe.ts';
import { bind, f32 } from './support/graphs.ts';
import { softwareDrivers } from './software.ts';

const [driver] = await softwareDrivers();
const software = driver?.software;
const restores: (() => void)[] = [];
afterEach(() => {
  vi.unstubAllGlobals();
  for (const restore of restores.splice(0)) restore();
});

/** Limits that every WebGPU device has at least. */
const binding = 2 ** 27;
const openSmall = async (): Promise<Backend> => {
  const { adapter } = await openNodeAdapter({ adapter: undefined, powerPreference: undefined, software });
  const { info, features } = adapter;
  const limits = { maxStorageBufferBindingSize: binding, maxBufferSize: 2 ** 28 };
  const requestDevice = () => adapter.requestDevice();
  vi.stubGlobal('navigator', {
    gpu: { requestAdapter: () => Promise.resolve({ info, features, limits, requestDevice }) },
  });
  return createGpuBackend({ software: true, conv: 'direct' });
};

/** Two convolutions; the first gives 2^17 elements an image, more than x has. */
function convolutions(batch: number, size = 32): Graph {
  const build = new GraphBuilder('convolutions');
  const window = window2d(1, samePadding([size, size], [3, 3], [1, 1]));
  const attrs = { window, bias: false, residual: false, activation: 'none' } as const;
  const wide = build.op(
    'conv2d',
    [build.input('x', f32(batch, size, size, 4)), build.input('first', f32(3, 3, 4, 128))],
    attrs,
    'wide',
  );
  build.output('y', build.op('conv2d', [wide, build.input('second', f32(3, 3, 128, 4))], attrs, 'narrow'));
  return build.build();
}

const problemOf = async (backend: Backend, graph: Graph): Promise<OutOfMemoryError> => {
  const problem: unknown = await backend.compile(graph, bind(backend, graph)).catch((error: unknown) => error);
  if (problem instanceof OutOfMemoryError) return problem;
  throw new Error(`expected an OutOfMemoryError, but got ${String(problem)}`);
};

describe.runIf(driver)('what is larger than a buffer may be', () => {
  test('names the value and the largest batch that fits, which does', async () => {
    using backend = await openSmall();
    const problem = await problemOf(backend, convolutions(300));
    expect(problem.message).toMatch(
      /^compile 'convolutions': the result of conv2d 'wide' \[300,32,32,128\] \(157,286,400 bytes\) exceeds the 134,217,728 bytes of one buffer on '.*'\. The largest batch that fits is 256, of 300\.$/,
    );
    expect(problem.details).toMatchObject({ limit: binding, batch: 300, largestBatch: 256 });
    const fitting = convolutions(256);
    using program = await backend.compile(fitting, bind(backend, fitting));
    expect(program.report.arenaBytes).toBe(binding);
    expect(await problemOf(backend, convolutions(257))).toMatchObject({ details: { largestBatch: 256 } });
  });

  test('a guarded program has less room', async () => {
    using backend = await openSmall();
    const graph = convolutions(256);
    await expect(backend.compile(graph, bind(backend, graph), { guard: true })).rejects.toThrow(
      'The largest batch that fits is 255, of 256.',
    );
  });

  test('an algorithm whose workspace would be too large gives way to one that fits', () => {
    const limits = {
      maxStorageBufferBindingSize: binding,
      maxComputeWorkgroupStorageSize: 16384,
      maxComputeInvocationsPerWorkgroup: 256,
    };
    const kernels = (batch: number) =>
      lowerGraph(convolutions(batch), { conv: 'winograd', features: new Set(), limits }).map((op) => op.kernels);
    expect(kernels(8)).toEqual([['conv2d.winograd-4x4'], ['conv2d.winograd-4x4']]);
    expect(kernels(200)).toEqual([['conv2d.direct-8x8'], ['conv2d.direct-8x8']]);
  });

  test('no batch fits: says so', async () => {
    using backend = await openSmall();
    expect((await problemOf(backend, convolutions(1, 520))).message).toMatch(
      /A smaller batch does not help: use a device with larger buffers\.$/,
    );
  });

  test('a tensor', async () => {
    using backend = await openSmall();
    expect(() => backend.tensor(f32(1000, 2 ** 16))).toThrow(
      /^tensor: a tensor f32\[1000,65536\] \(262,144,000 bytes\) exceeds the 134,217,728 bytes of one buffer on '.*'\. Its first axis can be 512 at most\.$/,
    );
    backend.tensor(f32(512, 2 ** 16)).dispose();
    expect(() => backend.tensor(f32(2 ** 26))).toThrow('Its first axis can be 33554432 at most.');
    expect(() => backend.tensor(f32(1, 2 ** 26))).toThrow('Use a device with larger buffers.');
  });
});

describe.runIf(driver)('a device that has no memory left', () => {
  test('says so at the next compile or read, once, and goes on', async () => {
    using backend = await createGpuBackend({ software: software ?? true });
    const x = backend.tensor(f32(4), Float32Array.of(1, 2, 3, 4));
    // Software drivers promise buffers of a size that they cannot give.
    const hoarded = Array.from({ length: 8 }, () => backend.tensor(f32(2 ** 28 - 16)));
    const problem: unknown = await x.read().catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(OutOfMemoryError);
    expect(String(problem)).toMatch(
      /the device '.*' has no 1,073,741,824 bytes left for a tensor f32\[268435440\]: .*Use a smaller batch, or dispose what is not needed\.$/s,
    );
    for (const tensor of hoarded) tensor.dispose();
    await x.read().catch(() => undefined);
    expect(await x.read()).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  test('a program that finds none gives back what it had', async () => {
    using backend = await createGpuBackend({ software: software ?? true, conv: 'direct' });
    const { counts, restore } = observe();
    restores.push(restore);
    const graph = chain(8, 2 ** 28);
    const tensors = bind(backend, graph);
    const before = counts.bytes;
    const problem: unknown = await backend.compile(graph, tensors).then(
      ({ report }) => `compiled, with ${report.arenaBytes} bytes`,
      (error: unknown) => error,
    );
    expect(problem).toBeInstanceOf(OutOfMemoryError);
    expect(counts.bytes).toBe(before);
  });
});

/** A chain whose values all live to its end. */
function chain(length: number, count: number): Graph {
  const build = new GraphBuilder('chain');
  const values = [build.op('fill', [], { shape: [count], value: 1 })];
  for (let i = 1; i < length; i++) values.push(build.op('relu', [values[i - 1] ?? 0], {}));
  const sums = values.map((value) => build.op('reduceSum', [value], {}));
  const sum = values.reduce((total, value) => build.op('add', [total, value], {}));
  build.output(
    'y',
    sums.reduce((total, value) => build.op('add', [total, value], {}), build.op('reduceSum', [sum], {})),
  );
  return build.build();
}

describe.runIf(driver)('memory in use', () => {
  test('is that of tensors and programs, and back at what it was once they are disposed of', async () => {
    using backend = await openSmall();
    const used = (): number => backend.memory?.usedBytes ?? -1;
    expect(used()).toBe(0);
    const graph = convolutions(1);
    const bound = bind(backend, graph);
    const tensors = used();
    expect(tensors).toBeGreaterThan(4 * (2 * 32 * 32 * 4 + 2 * 3 * 3 * 4 * 128));
    const program = await backend.compile(graph, bound);
    await program.run();
    await bound.get('y')?.read();
    const { arenaBytes, workspaceBytes } = program.report;
    expect(used()).toBeGreaterThanOrEqual(tensors + arenaBytes + workspaceBytes);
    expect(backend.memory).toEqual({ usedBytes: used(), peakBytes: used() });
    program.dispose();
    expect(used()).toBe(tensors);
    for (const tensor of bound.values()) tensor.dispose();
    expect(used()).toBe(0);
  });
});
