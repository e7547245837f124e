import { GraphBuilder, samePadding, type Backend, type Graph, type Tensor, type TypedArray } from '@skiplane/core';
import { afterAll, describe, expect, it } from 'vitest';
import { createWasmBackend } from '../src/index.ts';

/** y = conv(relu(x)) as rows: a light op, a heavy one, and one without a kernel. */
function convGraph(): Graph {
  const build = new GraphBuilder('conv');
  const x = build.input('x', { shape: [4, 32, 32, 16], dtype: 'f32' });
  const filter = build.input('filter', { shape: [3, 3, 16, 16], dtype: 'f32' });
  const window = { strides: [1, 1], padding: samePadding([32, 32], [3, 3], [1, 1]) } as const;
  const attrs = { window, bias: false, residual: false, activation: 'none' } as const;
  const y = build.op('conv2d', [build.op('relu', [x], {}, 'light'), filter], attrs, 'heavy');
  build.output('y', y);
  build.output('rows', build.op('reduceSum', [build.op('reshape', [y], { shape: [4096, 16] }, 'rows')], {}, 'sum'));
  return build.build();
}

function bind(backend: Backend, graph: Graph): ReadonlyMap<string, Tensor> {
  return new Map(
    graph.values.flatMap((value) => {
      const { name, shape } = value;
      if (name === undefined) return [];
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i));
      return [[name, backend.tensor(value, data)] as const];
    }),
  );
}

const bytesOf = ({ buffer }: TypedArray): Buffer => Buffer.from(buffer);

describe.each([1, 2, 3])('a profile on %i threads', async (threads) => {
  const backend = await createWasmBackend({ threads });
  afterAll(() => backend.dispose());

  it('has a time for each op, which add up to less than the call took', async () => {
    const tensors = bind(backend, convGraph());
    using program = await backend.compile(convGraph(), tensors);
    await program.run();
    const start = performance.now();
    const { method, ops } = await program.profile();
    const milliseconds = performance.now() - start;
    expect(method).toBe('clock');
    const time = new Map(ops.map((op) => [op.label, op.milliseconds]));
    expect([...time.keys()]).toEqual(['light', 'heavy', 'rows', 'sum']);
    expect(time.get('rows')).toBe(0);
    for (const label of ['light', 'heavy', 'sum']) expect(time.get(label)).toBeGreaterThan(0);
    expect([...time.values()].reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(milliseconds);
  });

  it('computes the bits of a run, again and again and without waiting', async () => {
    const tensors = bind(backend, convGraph());
    using program = await backend.compile(convGraph(), tensors, { guard: true });
    const y = tensors.get('y') as Tensor;
    await program.run();
    const expected = bytesOf(await y.read());
    for (let i = 0; i < 5; i++) {
      y.write(new Float32Array(4 * 32 * 32 * 16));
      const both = [program.profile(), program.profile()];
      expect(bytesOf(await y.read()).equals(expected)).toBe(true);
      await Promise.all(both);
    }
  });

  it('of a program without kernels is empty, and so is its run', async () => {
    const build = new GraphBuilder('nothing');
    build.op('reshape', [build.input('x', { shape: [4], dtype: 'f32' })], { shape: [2, 2] }, 'square');
    const graph = build.build();
    using program = await backend.compile(graph, bind(backend, graph), { fuse: false });
    for (let i = 0; i < 100; i++) await program.run();
    const { ops } = await program.profile();
    expect(ops.map(({ label, milliseconds }) => [label, milliseconds])).toEqual([['square', 0]]);
  });
});
