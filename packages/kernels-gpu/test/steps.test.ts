import { GraphBuilder, type Backend, type Graph, type Program, type Tensor } from '@skiplane/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createGpuBackend } from '../src/index.ts';
import { observe } from './support/observe.ts';
import { bind, doubling, f32 } from './support/graphs.ts';
import { softwareDrivers } from './software.ts';

const [driver] = await softwareDrivers();
let backend: Backend;
let observed: ReturnType<typeof observe>;

beforeEach(async () => {
  observed = observe();
  backend = await createGpuBackend({ software: driver?.software ?? true });
});
afterEach(() => {
  backend.dispose();
  observed.restore();
});

/** state += Σ x, in several kernels: what a training step is made of, in small. */
function accumulating(count: number): Graph {
  const build = new GraphBuilder('accumulating');
  const x = build.input('x', f32(count));
  const scaled = build.op('affine', [x], { scale: 2, offset: 0 });
  const sum = build.op('reduceSum', [build.op('multiply', [scaled, x], {})], {});
  build.op('assignAdd', [build.input('state', f32()), sum], {});
  return build.build();
}

interface Compiled {
  readonly program: Program;
  readonly x: Tensor;
  readonly result: Tensor;
}

async function compile(graph: Graph, result: string): Promise<Compiled> {
  const tensors = bind(backend, graph);
  const program = await backend.compile(graph, tensors, { fuse: false });
  return { program, x: tensors.get('x') as Tensor, result: tensors.get(result) as Tensor };
}

describe.runIf(driver)('a step', () => {
  test('is one submit, and makes nothing new', async () => {
    const { program } = await compile(accumulating(100_000), 'state');
    const { counts } = observed;
    const before = { ...counts };
    for (let step = 0; step < 10; step++) await program.run();
    expect(counts).toEqual({ ...before, submits: before.submits + 10, inFlight: counts.inFlight });
  });

  test('of which two at the most are in flight', async () => {
    const { program, x, result } = await compile(accumulating(200_000), 'state');
    x.write(new Float32Array(200_000).fill(1));
    await result.read();
    observed.counts.inFlight = 0;
    for (let step = 0; step < 12; step++) await program.run();
    expect(observed.counts.inFlight).toBe(2);
    expect(await result.read()).toEqual(Float32Array.of(12 * 400_000));
  });

  test('is not disturbed by a write right after it', async () => {
    const count = 100_000;
    const { program, x, result } = await compile(accumulating(count), 'state');
    const data = new Float32Array(count);
    for (let step = 1; step <= 8; step++) {
      x.write(data.fill(step));
      // The copy is taken at once: neither the array nor the tensor has to be left alone.
      const running = program.run();
      x.write(data.fill(1000));
      data.fill(Number.NaN);
      if (step % 2 === 0) await running;
    }
    const squares = Array.from({ length: 8 }, (_, i) => (i + 1) ** 2).reduce((sum, square) => sum + square);
    expect(await result.read()).toEqual(Float32Array.of(2 * count * squares));
  });

  test('takes effect in call order, awaited or not', async () => {
    const { program, x, result } = await compile(doubling(), 'y');
    x.write(Float32Array.of(1, 2, 3, 4, 5));
    const runs = [program.run()];
    const first = result.read();
    x.write(Float32Array.of(10, 20, 30, 40, 50));
    runs.push(program.run());
    const second = result.read();
    x.write(new Float32Array(5));
    expect(await Promise.all([first, second])).toEqual([
      Float32Array.of(3, 5, 7, 9, 11),
      Float32Array.of(21, 41, 61, 81, 101),
    ]);
    await Promise.all(runs);
  });

  test('of a guarded program may overlap another one', async () => {
    const tensors = bind(backend, doubling());
    const program = await backend.compile(doubling(), tensors, { guard: true });
    tensors.get('x')?.write(Float32Array.of(1, 2, 3, 4, 5));
    await Promise.all([program.run(), program.run(), program.run()]);
    expect(await tensors.get('y')?.read()).toEqual(Float32Array.of(3, 5, 7, 9, 11));
  });
});

describe.runIf(driver)('reading', () => {
  test('uses one buffer again and again, where it is small', async () => {
    const tensor = backend.tensor(f32(100), new Float32Array(100).fill(7));
    await tensor.read();
    const before = { ...observed.counts };
    for (let i = 0; i < 20; i++) expect((await tensor.read())[i]).toBe(7);
    expect(observed.counts).toMatchObject({ buffers: before.buffers, bytes: before.bytes });
  });

  test('keeps no large buffer', async () => {
    const tensor = backend.tensor(f32(100_000));
    const before = observed.counts.bytes;
    await tensor.read();
    expect(observed.counts.bytes).toBe(before);
  });

  test('several times at once gives the same, and keeps one buffer', async () => {
    const tensor = backend.tensor(f32(3), Float32Array.of(1, 2, 3));
    await tensor.read();
    const before = observed.counts.bytes;
    const copies = await Promise.all([tensor.read(), tensor.read(), tensor.read()]);
    expect(copies).toEqual(copies.map(() => Float32Array.of(1, 2, 3)));
    expect(observed.counts.bytes).toBe(before);
  });

  test('gives a copy of the caller’s own', async () => {
    const tensor = backend.tensor({ shape: [5], dtype: 'u8' }, Uint8Array.of(1, 2, 3, 4, 5));
    const first = await tensor.read();
    first.fill(0);
    tensor.write(Uint8Array.of(6, 7, 8, 9, 10));
    expect(await tensor.read()).toEqual(Uint8Array.of(6, 7, 8, 9, 10));
  });
});

describe.runIf(driver)('device memory', () => {
  test('is flat over 1,000 steps with writes and reads', async () => {
    const count = 1000;
    const { program, x, result } = await compile(accumulating(count), 'state');
    const data = new Float32Array(count).fill(1);
    const steps = async (first: number, end: number): Promise<void> => {
      for (let step = first; step < end; step++) {
        x.write(data);
        await program.run();
        if (step % 50 === 0) await result.read();
      }
    };
    await steps(0, 51);
    const before = { ...observed.counts };
    await steps(51, 1000);
    expect(observed.counts).toMatchObject({
      buffers: before.buffers,
      bytes: before.bytes,
      bindGroups: before.bindGroups,
    });
    expect(observed.counts.submits - before.submits).toBe(949 + 18);
    expect(await result.read()).toEqual(Float32Array.of(2 * count * 1000));
  }, 120_000);

  test('is given back: programs, tensors, guards', async () => {
    const { bytes } = observed.counts;
    const tensors = bind(backend, accumulating(5000));
    for (const guard of [false, true]) {
      using program = await backend.compile(accumulating(5000), tensors, { guard });
      await program.run();
    }
    await tensors.get('state')?.read();
    for (const tensor of tensors.values()) tensor.dispose();
    expect(observed.counts.bytes).toBe(bytes);
  });

  test('a kernel that two programs share is compiled once', async () => {
    await compile(accumulating(64), 'state');
    const before = observed.counts.pipelines;
    await compile(accumulating(64), 'state');
    expect(observed.counts.pipelines).toBe(before);
  });
});
