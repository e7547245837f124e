import {
  BindingError,
  DisposedError,
  GraphBuilder,
  ShapeError,
  ValueError,
  type Backend,
  type Graph,
  type Tensor,
} from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWasmBackend } from '../src/index.ts';

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;

/** y = 2x + 1. */
function doubling(): Graph {
  const build = new GraphBuilder('doubling');
  build.output('y', build.op('affine', [build.input('x', f32(5))], { scale: 2, offset: 1 }));
  return build.build();
}

describe.each([1, 2])('wasm backend, %i threads', (threads) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createWasmBackend({ threads });
  });
  afterAll(() => backend.dispose());

  const bind = (): Map<string, Tensor> =>
    new Map([
      ['x', backend.tensor(f32(5), Float32Array.of(1, 2, 3, 4, 5))],
      ['y', backend.tensor(f32(5))],
    ]);

  it('says what it is', () => {
    expect(backend.info).toMatchObject({
      threads,
      device: expect.stringMatching(`wasm (relaxed-)?simd, ${threads} thread`),
    });
  });

  it('takes writes, runs and reads in call order, awaited or not', async () => {
    const tensors = bind();
    const program = await backend.compile(doubling(), tensors);
    const first = program.run();
    tensors.get('x')?.write(Float32Array.of(10, 20, 30, 40, 50));
    const second = program.run();
    const result = await tensors.get('y')?.read();
    await Promise.all([first, second]);
    expect(result).toEqual(Float32Array.of(21, 41, 61, 81, 101));
  });

  it('names the kernels, FLOPs and bytes of each op', async () => {
    const program = await backend.compile(doubling(), bind());
    expect(program.report.ops).toEqual([
      {
        kind: 'affine',
        label: '',
        kernels: [expect.stringMatching(/^affine\.(relaxed-)?simd$/u)],
        cost: { flops: 10, bytes: 40 },
      },
    ]);
  });

  it('refuses the use of what was disposed, by name', async () => {
    const tensors = bind();
    const program = await backend.compile(doubling(), tensors);
    tensors.get('y')?.dispose();
    await expect(program.run()).rejects.toThrow(new DisposedError("run: the tensor bound to 'y' has been disposed."));
    await expect(tensors.get('y')?.read()).rejects.toThrow(DisposedError);
    program.dispose();
    await expect(program.run()).rejects.toThrow('run: the program has been disposed.');
  });

  it('refuses data and tensors that do not fit', async () => {
    expect(() => backend.tensor(f32(2), Float32Array.of(1))).toThrow(ShapeError);
    const other = createReferenceBackend();
    const tensors = bind().set('x', other.tensor(f32(5)));
    await expect(backend.compile(doubling(), tensors)).rejects.toThrow(
      new BindingError("'x' is bound to a tensor of another backend."),
    );
  });
});

describe('createWasmBackend', () => {
  it('refuses a number of threads that cannot be', async () => {
    await expect(createWasmBackend({ threads: 0 })).rejects.toThrow(
      new ValueError('threads must be a whole number from 1 to 256, but is 0.'),
    );
  });

  it('lets a conv algorithm be forced, and reports it', async () => {
    const build = new GraphBuilder('conv');
    const padding = { top: 1, bottom: 1, left: 1, right: 1 };
    const inputs = [build.input('x', f32(1, 8, 8, 16)), build.input('filter', f32(3, 3, 16, 16))];
    build.output(
      'y',
      build.op('conv2d', inputs, {
        window: { strides: [1, 1], padding },
        bias: false,
        residual: false,
        activation: 'none',
      }),
    );
    const graph = build.build();
    for (const conv of ['direct', 'winograd'] as const) {
      using backend = await createWasmBackend({ threads: 1, conv });
      const tensors = new Map(
        graph.values.flatMap((value) => (value.name === undefined ? [] : [[value.name, backend.tensor(value)]])),
      );
      const { report } = await backend.compile(graph, tensors);
      expect(report.ops[0]?.kernels[0]).toContain(conv);
    }
  });
});
