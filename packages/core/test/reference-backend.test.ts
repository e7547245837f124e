import { describe, expect, test } from 'vitest';
import { BindingError, DisposedError, GraphBuilder, ShapeError, type Tensor, type TensorSpec } from '../src/index.ts';
import { createReferenceBackend } from '../src/reference/index.ts';
import { messageOf } from './support/error-message.ts';

const f32 = (...shape: number[]): TensorSpec => ({ shape, dtype: 'f32' });

/** y = 3x, and total += Σ x. */
async function counter() {
  const backend = createReferenceBackend();
  const build = new GraphBuilder('counter');
  const x = build.input('x', f32(2));
  const total = build.input('total', f32());
  build.output('y', build.op('affine', [x], { scale: 3, offset: 0 }, 'triple'));
  build.op('assignAdd', [total, build.op('reduceSum', [x], {}, 'sum')], {}, 'accumulate');
  const tensors = {
    x: backend.tensor(f32(2), Float32Array.of(1, 2)),
    y: backend.tensor(f32(2)),
    total: backend.tensor(f32()),
  };
  const graph = build.build();
  return { backend, graph, tensors, program: await backend.compile(graph, new Map(Object.entries(tensors))) };
}

describe('a tensor', () => {
  test('rounds to f32 on read and keeps the rest in values', async () => {
    const tensor = createReferenceBackend().tensor(f32(2), Float32Array.of(0.1, 2));
    expect([...tensor.values]).toEqual([Math.fround(0.1), 2]);
    tensor.values[0] = 0.1;
    expect([...tensor.values]).toEqual([0.1, 2]);
    expect(await tensor.read()).toEqual(Float32Array.of(0.1, 2));
  });

  test('starts as zeros and copies what it is given and what it gives', async () => {
    const tensor = createReferenceBackend().tensor(f32(2));
    expect(await tensor.read()).toEqual(Float32Array.of(0, 0));
    const data = Float32Array.of(1, 2);
    tensor.write(data);
    data[0] = 9;
    const read = await tensor.read();
    read[1] = 9;
    expect(await tensor.read()).toEqual(Float32Array.of(1, 2));
  });

  test.each([
    ['i32', Int32Array.of(-5, 2 ** 31 - 1)],
    ['u8', Uint8Array.of(0, 255)],
  ] as const)('holds %s', async (dtype, data) => {
    const tensor = createReferenceBackend().tensor({ shape: [2], dtype }, data);
    expect(await tensor.read()).toEqual(data);
  });

  test('refuses data of another length or type', () => {
    const backend = createReferenceBackend();
    const tensor = backend.tensor(f32(2, 3));
    expect(messageOf(ShapeError, () => tensor.write(new Float32Array(5)))).toBe(
      'write: tensor f32[2,3] takes a Float32Array of 6 elements, but got a Float32Array of 5.',
    );
    expect(messageOf(ShapeError, () => backend.tensor(f32(2), new Uint8Array(2)))).toBe(
      'write: tensor f32[2] takes a Float32Array of 2 elements, but got a Uint8Array of 2.',
    );
  });

  test('refuses use after dispose', async () => {
    const tensor = createReferenceBackend().tensor(f32(2));
    tensor.dispose();
    tensor.dispose();
    expect(messageOf(DisposedError, () => tensor.write(new Float32Array(2)))).toBe(
      'write: tensor f32[2] has been disposed; make a new one.',
    );
    await expect(tensor.read()).rejects.toThrow('read: tensor f32[2] has been disposed; make a new one.');
  });
});

describe('a program', () => {
  test('writes results and updates state in place, run after run', async () => {
    const { tensors, program } = await counter();
    await program.run();
    tensors.x.write(Float32Array.of(10, 20));
    await program.run();
    expect(await tensors.y.read()).toEqual(Float32Array.of(30, 60));
    expect(await tensors.total.read()).toEqual(Float32Array.of(33));
  });

  test('rounds nothing between its ops', async () => {
    const { tensors, program } = await counter();
    tensors.x.values.set([2 ** -30, 1]);
    await program.run();
    expect(tensors.total.values[0]).toBe(1 + 2 ** -30);
  });

  test('reports its ops, kernels and memory', async () => {
    const { program } = await counter();
    expect(program.report).toEqual({
      backend: 'reference',
      ops: [
        { kind: 'affine', label: 'triple', kernels: ['affine.reference'], cost: { flops: 4, bytes: 16 } },
        { kind: 'reduceSum', label: 'sum', kernels: ['reduceSum.reference'], cost: { flops: 2, bytes: 12 } },
        { kind: 'assignAdd', label: 'accumulate', kernels: ['assignAdd.reference'], cost: { flops: 1, bytes: 12 } },
      ],
      arenaBytes: 8,
      workspaceBytes: 0,
      recomputation: null,
    });
  });

  test('reads a tensor through a view', async () => {
    const backend = createReferenceBackend();
    const build = new GraphBuilder('view');
    const flat = build.op('reshape', [build.input('x', f32(2, 2))], { shape: [4] });
    const square = build.op('reshape', [build.op('relu', [flat], {})], { shape: [2, 2] });
    build.output('y', build.op('affine', [square], { scale: 1, offset: 0.5 }));
    const x = backend.tensor(f32(2, 2), Float32Array.of(-1, 2, -3, 4));
    const y = backend.tensor(f32(2, 2));
    const program = await backend.compile(
      build.build(),
      new Map([
        ['x', x],
        ['y', y],
      ]),
    );
    await program.run();
    expect(await y.read()).toEqual(Float32Array.of(0.5, 2.5, 0.5, 4.5));
  });

  test('fuses only when asked to', async () => {
    const build = new GraphBuilder('fusible');
    const x = build.input('x', f32(1, 2, 2, 1));
    const filter = build.input('filter', f32(1, 1, 1, 1));
    const padding = { top: 0, bottom: 0, left: 0, right: 0 };
    const attrs = { window: { strides: [1, 1], padding }, bias: false, residual: false, activation: 'none' } as const;
    build.output('y', build.op('relu', [build.op('conv2d', [x, filter], attrs)], {}));
    const backend = createReferenceBackend();
    const bindings = new Map<string, Tensor>([
      ['x', backend.tensor(f32(1, 2, 2, 1), Float32Array.of(-1, 2, -3, 4))],
      ['filter', backend.tensor(f32(1, 1, 1, 1), Float32Array.of(2))],
      ['y', backend.tensor(f32(1, 2, 2, 1))],
    ]);
    const graph = build.build();
    for (const [options, kinds] of [
      [{}, ['conv2d', 'relu']],
      [{ fuse: false }, ['conv2d', 'relu']],
      [{ fuse: true }, ['conv2d']],
    ] as const) {
      const program = await backend.compile(graph, bindings, options);
      await program.run();
      expect(program.report.ops.map(({ kind }) => kind)).toEqual(kinds);
      expect(await bindings.get('y')?.read()).toEqual(Float32Array.of(0, 4, 0, 8));
    }
  });
});

describe('compile refuses', () => {
  test('bindings that do not fit', async () => {
    const { backend, graph, tensors } = await counter();
    const compiled = backend.compile(graph, new Map([['x', tensors.x]]));
    await expect(compiled).rejects.toThrow(BindingError);
    await expect(compiled).rejects.toThrow(
      "cannot bind graph 'counter': 'total' (f32[]) has no tensor; 'y' (f32[2]) has no tensor.",
    );
  });

  test('tensors of another backend', async () => {
    const { backend, graph, tensors } = await counter();
    const foreign = createReferenceBackend().tensor(f32());
    const compiled = backend.compile(graph, new Map(Object.entries({ ...tensors, total: foreign })));
    await expect(compiled).rejects.toThrow(BindingError);
    await expect(compiled).rejects.toThrow(
      "cannot bind graph 'counter': the tensor of 'total' belongs to another backend.",
    );
  });

  test('disposed tensors', async () => {
    const { backend, graph, tensors } = await counter();
    tensors.y.dispose();
    const compiled = backend.compile(graph, new Map(Object.entries(tensors)));
    await expect(compiled).rejects.toThrow(DisposedError);
    await expect(compiled).rejects.toThrow("cannot bind graph 'counter': the tensors of 'y' have been disposed.");
  });
});

describe('after dispose', () => {
  test('run names the tensors', async () => {
    const { tensors, program } = await counter();
    tensors.x.dispose();
    tensors.y[Symbol.dispose]();
    await expect(program.run()).rejects.toThrow(DisposedError);
    await expect(program.run()).rejects.toThrow(
      "run of graph 'counter': the tensors bound to 'x', 'y' have been disposed; compile with new ones.",
    );
  });

  test('run names the program', async () => {
    const { program } = await counter();
    program.dispose();
    await expect(program.run()).rejects.toThrow(DisposedError);
    await expect(program.run()).rejects.toThrow(
      "run of graph 'counter': the program has been disposed; compile it again.",
    );
  });

  test('a backend makes nothing and runs nothing', async () => {
    const { backend, graph, tensors, program } = await counter();
    backend.dispose();
    const gone = 'the reference backend has been disposed; make a new one.';
    expect(messageOf(DisposedError, () => backend.tensor(f32(1)))).toBe(`tensor: ${gone}`);
    await expect(backend.compile(graph, new Map(Object.entries(tensors)))).rejects.toThrow(`compile: ${gone}`);
    await expect(program.run()).rejects.toThrow(DisposedError);
    await expect(tensors.y.read()).rejects.toThrow(DisposedError);
  });
});
