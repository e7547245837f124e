import {
  fuse,
  GraphBuilder,
  gradients,
  samePadding,
  type Backend,
  type Graph,
  type Tensor,
  type ValueId,
} from '@skiplane/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWasmBackend } from '../src/index.ts';
import { loadLowerings } from '../src/lower/index.ts';
import { changedValues, planPart, type PlannedPart } from '../src/plan-part.ts';
import { recordsOf } from '../src/records.ts';
import { inStages } from '../src/stages.ts';

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;
const convolution = (size: number, filter: number, stride: number) => {
  const window = {
    strides: [stride, stride],
    padding: samePadding([size, size], [filter, filter], [stride, stride]),
  } as const;
  return { window, bias: false, residual: false, activation: 'none' } as const;
};
const batchNorm = {
  epsilon: 1e-3,
  momentum: 0.9,
  movingVariance: 'biased',
  residual: false,
  activation: 'none',
} as const;

/** A residual block and one that halves the image, with penalties and the gradient of every parameter: all that a training step has in its groups. */
function step(batch: number): Graph {
  const build = new GraphBuilder('step');
  const wanted: ValueId[] = [];
  const penalties: ValueId[] = [];
  const parameter = (name: string, ...shape: number[]): ValueId => {
    const id = build.input(name, f32(...shape));
    wanted.push(id);
    return id;
  };
  const block = (
    x: ValueId,
    name: string,
    size: number,
    filter: number,
    stride: number,
    shape: readonly [number, number],
  ): ValueId => {
    const filterId = parameter(`${name}/filter`, filter, filter, ...shape);
    const y = build.op('conv2d', [x, filterId], convolution(size, filter, stride), name);
    penalties.push(build.op('l2Penalty', [filterId], { scale: 1e-2 }, name));
    const affine = ['gamma', 'beta'].map((part) => parameter(`${name}/${part}`, shape[1]));
    const moving = ['mean', 'variance'].map((part) => build.input(`${name}/${part}`, f32(shape[1])));
    return build.op('batchNormTraining', [y, ...affine, ...moving], batchNorm, name);
  };
  const relu = (x: ValueId): ValueId => build.op('relu', [x], {});
  const stem = relu(block(build.input('x', f32(batch, 32, 32, 3)), 'stem', 32, 3, 1, [3, 16]));
  const same = relu(
    build.op('add', [block(relu(block(stem, 'a', 32, 3, 1, [16, 16])), 'b', 32, 3, 1, [16, 16]), stem], {}),
  );
  const half = block(relu(block(same, 'c', 32, 3, 2, [16, 32])), 'd', 16, 3, 1, [32, 32]);
  const last = build.op('add', [half, block(same, 'e', 32, 1, 2, [16, 32])], {});
  const product = build.op('multiply', [last, build.input('weights', f32(batch, 16, 16, 32))], {});
  const loss = penalties.reduce(
    (sum, penalty) => build.op('add', [sum, penalty], {}),
    build.op('reduceSum', [product], {}),
  );
  const { graph, gradients: grads } = gradients(build.build(), loss, wanted);
  const named = new GraphBuilder('step', graph);
  grads.forEach((id, i) => named.output(`gradient ${i}`, id));
  return named.build();
}

function bind(backend: Backend, graph: Graph): ReadonlyMap<string, Tensor> {
  return new Map(
    graph.values.flatMap((value, index) => {
      const { name, shape } = value;
      if (name === undefined) return [];
      const data = Float32Array.from(
        { length: shape.reduce((a, b) => a * b, 1) },
        (_, i) => 1 + Math.sin(i * 1.7 + index),
      );
      return [[name, backend.tensor(value, data)] as const];
    }),
  );
}

/** All tensors after a run, as bytes. */
async function results(
  threads: number,
  how: 'run' | 'profile',
  options: { arenaLimitBytes?: number },
): Promise<Buffer> {
  using backend = await createWasmBackend({ threads });
  const graph = step(16);
  const tensors = bind(backend, graph);
  using program = await backend.compile(graph, tensors, options);
  await program[how]();
  const read = await Promise.all([...tensors.values()].map((tensor) => tensor.read()));
  return Buffer.concat(read.map(({ buffer }) => Buffer.from(buffer as ArrayBuffer)));
}

describe('a training step', () => {
  it('has the bits of one op after the other, on any number of threads', async () => {
    // With a limit, ops run one by one.
    const expected = await results(1, 'run', { arenaLimitBytes: 2 ** 30 });
    for (const threads of [1, 2, 3])
      expect((await results(threads, 'run', {})).equals(expected), `${threads} threads`).toBe(true);
    expect((await results(2, 'profile', {})).equals(expected), 'profile').toBe(true);
  });

  it('writes nowhere but into its values', async () => {
    using backend = await createWasmBackend({ threads: 2 });
    const graph = step(16);
    const tensors = bind(backend, graph);
    using program = await backend.compile(graph, tensors, { guard: true });
    await program.run();
    for (const tensor of tensors.values()) expect((await tensor.read()).every(Number.isFinite)).toBe(true);
  });
});

/** A step as it is planned, and its records with the group that they are in and the groups' stage. */
function planned(batch: number, threads: number): { part: PlannedPart; groups: readonly (readonly Placed[])[] } {
  const graph = fuse(step(batch));
  const changed = changedValues(graph);
  const part = planPart(
    { graph, chunks: null, batched: new Set() },
    { conv: 'auto', threads },
    false,
    changed,
    inStages,
  );
  const { records } = part.schedule;
  const groups: Placed[][] = [];
  for (let at = 0, stage = 0; at < records.length;) {
    const { span = 1, meet = true } = records[at] ?? {};
    groups.push(records.slice(at, at + span).map((record) => ({ ...record, group: groups.length, stage })));
    at += span;
    if (meet) stage++;
  }
  return { part, groups };
}

interface Placed {
  readonly op: number;
  readonly index: number;
  readonly group: number;
  readonly stage: number;
}

describe('groups', () => {
  beforeAll(() => loadLowerings('training'));

  it('have what two batch norms have between them, forward and backward', () => {
    const { part, groups } = planned(32, 2);
    const kinds = groups.map((group) => group.map(({ op }) => part.graph.ops[op]?.kind).join(' '));
    const count = (of: string): number => kinds.filter((kind) => kind === of).length;
    expect(count('batchNormTraining conv2d batchNormTraining')).toBe(5);
    expect(count('batchNormGrad conv2dBackpropFilter conv2dBackpropInput batchNormGrad')).toBe(2);
  });

  it('need images for all threads', () => {
    const { part, groups } = planned(3, 1);
    const byImages = groups.filter((group) => group.some(({ op }) => part.graph.ops[op]?.kind === 'conv2d'));
    expect(byImages.every(({ length }) => length === 1)).toBe(true);
  });

  it.each([1, 3, 8, 16, 48])('keep the order that ops of %i images need', (batch) => {
    for (const threads of [1, 2, 3]) {
      const { part, groups } = planned(batch, threads);
      const placed = groups.flat();
      const counts = part.graph.ops.map((_, op) => placed.filter((record) => record.op === op).length);
      expect(counts).toEqual(part.schedule.slots.map((_, op) => recordCount(part, op)));
      const producer = new Map(part.graph.ops.flatMap(({ outputs }, op) => outputs.map((id) => [id, op] as const)));
      const lastOf = (op: number): Placed | undefined => placed.findLast((record) => record.op === op);
      const violations = placed.flatMap((record, position) => {
        const needs = (part.graph.ops[record.op]?.inputs ?? []).flatMap((id) => lastOf(producer.get(id) ?? -1) ?? []);
        const early = placed.slice(position + 1).some(({ op, index }) => op === record.op && index < record.index);
        const unready = (need: Placed): boolean =>
          need.group === record.group ? placed.indexOf(need) > position : need.stage >= record.stage;
        return early || needs.some(unready) ? [record] : [];
      });
      expect(violations).toEqual([]);
    }
  });

  it.each([3, 16, 48])('of one stage write nothing that another reads, with %i images', (batch) => {
    for (const threads of [1, 2]) {
      const { part, groups } = planned(batch, threads);
      const conflicts = groups.flatMap((group, at) =>
        groups.slice(at + 1).flatMap((other) => {
          if (group[0]?.stage !== other[0]?.stage) return [];
          return group.flatMap(({ op: a }) =>
            other.flatMap(({ op: b }) => (a !== b && (overlap(part, a, b) || overlap(part, b, a)) ? [[a, b]] : [])),
          );
        }),
      );
      expect(conflicts).toEqual([]);
    }
  });
});

/** Whether an op writes memory that another uses. */
function overlap({ graph, plan }: PlannedPart, writer: number, user: number): boolean {
  const ranges = (ids: readonly ValueId[]): [number, number][] =>
    ids.flatMap((id) => {
      const storage = plan.storage.get(id);
      const { shape } = graph.values[id] as Graph['values'][number];
      return storage?.kind === 'arena' ? [[storage.offset, storage.offset + 4 * shape.reduce((a, b) => a * b, 1)]] : [];
    });
  const { inputs = [], outputs = [] } = graph.ops[user] ?? {};
  const used = ranges([...inputs, ...outputs]);
  return ranges(graph.ops[writer]?.outputs ?? []).some(([from, to]) =>
    used.some(([start, end]) => from < end && start < to),
  );
}

function recordCount(part: PlannedPart, op: number): number {
  const tensors = new Map(
    part.graph.values.flatMap(({ name }) => (name === undefined ? [] : [[name, { offset: 64 }] as const])),
  );
  return recordsOf(part, { tensors: tensors as never, arena: 0, packed: [] })[op]?.length ?? 0;
}
