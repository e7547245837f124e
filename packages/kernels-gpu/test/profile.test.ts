import { GraphBuilder, type Graph } from '@skiplane/core';
import { afterAll, describe, expect, test } from 'vitest';
import { compile } from '../src/compile.ts';
import { Context } from '../src/context.ts';
import { openDevice } from '../src/device.ts';
import { profileSteps } from '../src/profile.ts';
import { GpuTensor } from '../src/tensor.ts';
import { softwareDrivers } from './software.ts';

const count = 16;

/** y = x + ops, one at a time; between the first two of them a reshape, which has no kernel. */
function counting(ops: number): Graph {
  const build = new GraphBuilder('counting');
  let value = build.input('x', { shape: [count], dtype: 'f32' });
  for (let i = 0; i < ops; i++) {
    value = build.op('affine', [value], { scale: 1, offset: 1 }, `add ${i}`);
    if (i === 0) value = build.op('reshape', [value], { shape: [4, 4] }, 'square');
  }
  build.output('y', value);
  return build.build();
}

async function compiled(context: Context, graph: Graph) {
  const y = new GpuTensor(context, { shape: [4, 4], dtype: 'f32' });
  const x = new GpuTensor(context, { shape: [count], dtype: 'f32' }, new Float32Array(count).fill(0.5));
  const limits = {
    maxStorageBufferBindingSize: 2 ** 27,
    maxComputeWorkgroupStorageSize: 16384,
    maxComputeInvocationsPerWorkgroup: 256,
  };
  const { steps } = await compile(context, {
    graph,
    tensors: new Map(Object.entries({ x, y })),
    guard: false,
    lowerOptions: { conv: 'auto', features: new Set(), limits },
    precision: 'f32',
    onProgress: undefined,
  });
  return { steps, y };
}

describe.each(await softwareDrivers())('a profile on $software', async ({ software }) => {
  const context = new Context(await openDevice({ software }));
  afterAll(() => context.dispose());

  test.each(['timestamps', 'submissions'] as const)('by %s runs every op once and times it', async (method) => {
    const { steps, y } = await compiled(context, counting(5));
    const profile = await profileSteps(context, 'profile', steps, method);
    expect(profile.method).toBe(method);
    expect([...profile.times.keys()]).toEqual([0, 2, 3, 4, 5]);
    for (const time of profile.times.values()) expect(time).toBeGreaterThanOrEqual(0);
    expect([...(await y.read())]).toEqual(Array<number>(count).fill(5.5));
  });

  test('has as many timestamps as a program of any length needs', async () => {
    const ops = 2100;
    const { steps, y } = await compiled(context, counting(ops));
    const start = performance.now();
    const { times } = await profileSteps(context, 'profile', steps, 'timestamps');
    const milliseconds = performance.now() - start;
    expect(times.size).toBe(ops);
    const sum = [...times.values()].reduce((a, b) => a + b, 0);
    expect(sum).toBeGreaterThan(0);
    expect(sum).toBeLessThan(milliseconds);
    // Node sees the device's clock as it is, and not in the steps of 65,536 ns that pages get.
    expect([...times.values()].some((time) => Math.round(time * 1e6) % 65_536 !== 0)).toBe(true);
    expect((await y.read())[0]).toBe(ops + 0.5);
  });

  test('is by timestamps where the device has them', async () => {
    const { steps } = await compiled(context, counting(2));
    const { method } = await profileSteps(context, 'profile', steps);
    expect(method).toBe(context.device.features.has('timestamp-query') ? 'timestamps' : 'submissions');
  });
});
