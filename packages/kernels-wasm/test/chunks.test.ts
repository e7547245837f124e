import { GraphBuilder, samePadding, type Backend, type Graph, type Tensor, type TypedArray } from '@skiplane/core';
import { afterAll, describe, expect, it } from 'vitest';
import { createWasmBackend } from '../src/index.ts';

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;

/** A block with a shortcut and its head, and a running sum of the losses, which alone needs the whole batch at once. */
function network(batch: number): Graph {
  const build = new GraphBuilder('network');
  const conv = (x: number, name: string, size: number, stride: number, shape: readonly number[]): number => {
    const window = {
      strides: [stride, stride],
      padding: samePadding([size, size], [shape[0] ?? 0, shape[1] ?? 0], [stride, stride]),
    } as const;
    const filter = build.input(name, f32(...shape));
    const y = build.op('conv2d', [x, filter], { window, bias: false, residual: false, activation: 'none' }, name);
    return build.op('biasAdd', [y, build.input(`${name}/bias`, f32(shape[3] ?? 0))], {}, name);
  };
  const x = build.op('relu', [build.input('x', f32(batch, 32, 32, 4))], {}, 'relu');
  const stem = build.op('relu', [conv(x, 'stem', 32, 1, [3, 3, 4, 16])], {}, 'stem');
  const first = build.op('relu', [conv(stem, 'first', 32, 1, [3, 3, 16, 16])], {}, 'first');
  const block = build.op('relu', [build.op('add', [conv(first, 'second', 32, 1, [3, 3, 16, 16]), stem], {})], {});
  const half = conv(block, 'half', 32, 2, [1, 1, 16, 20]);
  const window = { size: [16, 16], strides: [16, 16], padding: { top: 0, bottom: 0, left: 0, right: 0 } } as const;
  const pooled = build.op('averagePool2d', [half], { window }, 'pool');
  const rows = build.op('reshape', [pooled], { shape: [batch, 20] }, 'rows');
  const product = build.op('matMul', [rows, build.input('dense', f32(20, 5))], {
    transposeA: false,
    transposeB: false,
  });
  build.output('logits', product);
  build.output('probabilities', build.op('softmax', [product], {}));
  const labels = build.input('labels', f32(batch, 5));
  const losses = build.op('softmaxCrossEntropy', [product, labels], { labelSmoothing: 0 }, 'loss');
  const weighted = build.op('multiply', [losses, build.input('weights', f32(batch))], {}, 'weighted');
  const sum = build.op('reduceSum', [weighted], {}, 'sum');
  build.op('assignAdd', [build.input('sum', f32()), sum], {}, 'sum');
  build.output('correct', build.op('topKCorrect', [product, labels], { k: 1 }, 'correct'));
  return build.build();
}

const numbers = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + seed) / 3);

function bind(backend: Backend, graph: Graph, images: readonly number[]): ReadonlyMap<string, Tensor> {
  return new Map(
    graph.values.flatMap((value) => {
      const { name, shape } = value;
      if (name === undefined) return [];
      const count = shape.reduce((a, b) => a * b, 1);
      const perImage = count / images.length;
      const data = ['x', 'labels', 'weights'].includes(name)
        ? Float32Array.from(images.flatMap((image) => [...numbers(perImage, image)]))
        : numbers(count, name.length);
      return [[name, backend.tensor(value, data)] as const];
    }),
  );
}

const outputs = ['logits', 'probabilities', 'correct'];
const read = (tensors: ReadonlyMap<string, Tensor>, name: string): Promise<TypedArray> =>
  (tensors.get(name) as Tensor).read();

describe.each([1, 2, 3])('a batch in chunks of images, on %i threads', async (threads) => {
  const backend = await createWasmBackend({ threads });
  afterAll(() => backend.dispose());

  // 13 images are no multiple of any chunk: the last one overlaps the one before it.
  const images = Array.from({ length: 13 }, (_, i) => i);

  async function single(image: number, change?: (tensors: ReadonlyMap<string, Tensor>) => void) {
    const graph = network(1);
    const tensors = bind(backend, graph, [image]);
    change?.(tensors);
    using program = await backend.compile(graph, tensors);
    await program.run();
    return Promise.all(outputs.map((name) => read(tensors, name)));
  }

  /** What each output should be: the images one by one, one behind the other. */
  async function oneByOne(change?: (tensors: ReadonlyMap<string, Tensor>) => void): Promise<readonly number[][]> {
    const results: TypedArray[][] = [];
    for (const image of images) results.push(await single(image, change));
    return outputs.map((_, output) => results.flatMap((result) => [...(result[output] ?? [])]));
  }

  it.each(['run', 'profile'] as const)('has the bits of images one by one in a %s', async (how) => {
    const graph = network(images.length);
    const tensors = bind(backend, graph, images);
    using program = await backend.compile(graph, tensors, { guard: true });
    await program[how]();
    const all = await Promise.all(outputs.map(async (name) => [...(await read(tensors, name))]));
    expect(all).toEqual(await oneByOne());
    expect(Number.isFinite((await read(tensors, 'sum'))[0])).toBe(true);
  });

  it('keeps no whole values', async () => {
    const graph = network(64);
    const tensors = new Map(
      graph.values.flatMap((value) => (value.name === undefined ? [] : [[value.name, backend.tensor(value)] as const])),
    );
    using program = await backend.compile(graph, tensors);
    expect(program.report.arenaBytes).toBeLessThan((2 * 64 * 32 * 32 * 16 * 4) / 3);
  });

  it('leaves values whole that ops of the whole batch use', async () => {
    const build = new GraphBuilder('sums');
    const x = build.input('x', f32(64, 32, 32, 16));
    const halves = build.op('affine', [x], { scale: 0.5, offset: 0 });
    const quarters = build.op('affine', [halves], { scale: 0.5, offset: 0 });
    for (const [name, value] of Object.entries({ halves, quarters })) {
      build.output(name, build.op('reduceSum', [value], {}));
    }
    const graph = build.build();
    const tensors = bind(
      backend,
      graph,
      Array.from({ length: 64 }, () => 0),
    );
    using program = await backend.compile(graph, tensors);
    expect(program.report.arenaBytes).toBeGreaterThanOrEqual(2 * 64 * 32 * 32 * 16 * 4);
  });

  it('packs a filter again when it was written, or when another program has changed it', async () => {
    const graph = network(images.length);
    const tensors = bind(backend, graph, images);
    using program = await backend.compile(graph, tensors);
    await program.run();
    const first = tensors.get('first') as Tensor;
    const written = numbers(3 * 3 * 16 * 16, 77);
    const write = (all: ReadonlyMap<string, Tensor>): void => all.get('first')?.write(written);
    write(tensors);
    void program.run();
    expect([...(await read(tensors, 'logits'))]).toEqual((await oneByOne(write))[0]);

    const build = new GraphBuilder('update');
    const halves = build.op('affine', [build.input('from', first)], { scale: 0.5, offset: 0 });
    build.output('first', halves);
    const from = backend.tensor(first, written);
    using update = await backend.compile(build.build(), new Map(Object.entries({ from, first })));
    void update.run();
    void program.run();
    const halve = (all: ReadonlyMap<string, Tensor>): void => all.get('first')?.write(written.map((each) => each / 2));
    expect([...(await read(tensors, 'logits'))]).toEqual((await oneByOne(halve))[0]);
  });
});
