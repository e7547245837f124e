import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  byteLength,
  GraphBuilder,
  planMemory,
  planSlots,
  valueOf,
  type Graph,
  type SlotOptions,
  type SlotPlan,
  type ValueId,
} from '../src/index.ts';
import { randomGraph } from './support/random-graph.ts';
import { simulateSlots } from './support/simulate-slots.ts';

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;
const relu = (build: GraphBuilder, x: ValueId): ValueId => build.op('relu', [x], {});
const total = ({ slots }: SlotPlan): number => slots.reduce((sum, bytes) => sum + bytes, 0);
const slotOf = (plan: SlotPlan, id: ValueId): number => {
  const storage = plan.storage.get(id);
  if (storage?.kind !== 'slot') throw new Error(`value ${id} lives in ${JSON.stringify(storage)}`);
  return storage.slot;
};

/** Bytes of workspaces by op. */
const workspaces = fc.array(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 3 }), { maxLength: 40 });
const options = fc.record({ workspaces, share: fc.boolean() });

describe('any plan', () => {
  test('lets every op read what was written', () => {
    fc.assert(
      fc.property(randomGraph, options, (graph, slotOptions) => {
        expect(simulateSlots(graph, planSlots(graph, slotOptions))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('takes the bytes of values as they are given', () => {
    const build = new GraphBuilder('chain');
    build.output('y', relu(build, relu(build, relu(build, build.input('x', f32(100))))));
    const graph = build.build();
    expect(planSlots(graph).slots).toEqual([400, 400]);
    expect(planSlots(graph, { bytesOf: (value) => byteLength(value) / 2 }).slots).toEqual([200, 200]);
  });

  test('gives each value and workspace a slot that is large enough, and the named values their tensors', () => {
    fc.assert(
      fc.property(randomGraph, options, (graph, slotOptions) => {
        const plan = planSlots(graph, slotOptions);
        expect([...plan.storage.keys()].toSorted((a, b) => a - b)).toEqual(graph.values.map(({ id }) => id));
        for (const value of graph.values) {
          const storage = plan.storage.get(value.id);
          if (value.name !== undefined) expect(storage).toEqual({ kind: 'tensor', name: value.name });
          else if (storage?.kind === 'slot') expect(plan.slots[storage.slot]).toBeGreaterThanOrEqual(byteLength(value));
        }
        const sizes = graph.ops.map((_, op) => slotOptions.workspaces[op] ?? []);
        expect(plan.workspaces.map((slots) => slots.length)).toEqual(sizes.map(({ length }) => length));
        plan.workspaces.forEach((slots, op) =>
          slots.forEach((slot, i) => expect(plan.slots[slot]).toBeGreaterThanOrEqual(sizes[op]?.[i] ?? 0)),
        );
      }),
    );
  });

  test('has no slot that nobody uses, or that is larger than the largest user', () => {
    fc.assert(
      fc.property(randomGraph, options, (graph, slotOptions) => {
        const plan = planSlots(graph, slotOptions);
        const needed = plan.slots.map(() => 0);
        const need = (slot: number, bytes: number): void => {
          needed[slot] = Math.max(needed[slot] ?? 0, bytes);
        };
        for (const value of graph.values) {
          const storage = plan.storage.get(value.id);
          if (storage?.kind === 'slot') need(storage.slot, byteLength(value));
        }
        plan.workspaces.forEach((slots, op) =>
          slots.forEach((slot, i) => need(slot, slotOptions.workspaces[op]?.[i] ?? 0)),
        );
        expect(needed).toEqual(plan.slots);
      }),
    );
  });

  test('needs at least what is needed at one time, and at most all together', () => {
    fc.assert(
      fc.property(randomGraph, workspaces, (graph, sizes) => {
        const shared = planSlots(graph, { workspaces: sizes });
        const apart = planSlots(graph, { workspaces: sizes, share: false });
        expect(total(shared)).toBeGreaterThanOrEqual(leastBytes(graph, sizes));
        expect(total(shared)).toBeLessThanOrEqual(total(apart));
        expect(shared.slots.length).toBeLessThanOrEqual(apart.slots.length);
      }),
    );
  });

  test('is the same for the same graph', () => {
    fc.assert(
      fc.property(randomGraph, options, (graph, slotOptions) => {
        expect(planSlots(graph, slotOptions)).toEqual(planSlots(graph, slotOptions));
      }),
    );
  });
});

/** Bytes of all that is needed at one time: what no plan can do without. */
function leastBytes(graph: Graph, sizes: NonNullable<SlotOptions['workspaces']>): number {
  const { blocks } = planMemory(graph, { alignment: 1, inPlace: false });
  return Math.max(
    0,
    ...graph.ops.map((_, op) => {
      const living = blocks.reduce(
        (sum, { bytes, firstOp, lastOp }) => sum + (firstOp <= op && op <= lastOp ? bytes : 0),
        0,
      );
      return living + (sizes[op] ?? []).reduce((sum, bytes) => sum + bytes, 0);
    }),
  );
}

/** x → relu → … → y, of 100 f32 each. */
function chain(length: number): Graph {
  const build = new GraphBuilder('chain');
  let value = build.input('x', f32(100));
  for (let i = 0; i < length; i++) value = relu(build, value);
  build.output('y', value);
  return build.build();
}

describe('planSlots', () => {
  test('runs a chain in two slots by turns', () => {
    expect(planSlots(chain(6)).slots).toEqual([400, 400]);
    expect(total(planSlots(chain(6)))).toBe(planMemory(chain(6), { alignment: 4, inPlace: false }).arenaBytes);
  });

  test('gives every value a slot of its own where none is shared', () => {
    expect(planSlots(chain(6), { share: false }).slots).toEqual([400, 400, 400, 400, 400]);
  });

  test('never lets inputs, outputs and workspaces of one op share', () => {
    const build = new GraphBuilder('one op');
    const a = relu(build, build.input('x', f32(100)));
    const b = relu(build, a);
    const sum = build.op('add', [a, b], {});
    build.output('y', relu(build, sum));
    const plan = planSlots(build.build(), { workspaces: [[], [], [400, 400]] });
    const used = [a, b, sum].map((id) => slotOf(plan, id));
    expect(new Set([...used, ...(plan.workspaces[2] ?? [])]).size).toBe(5);
  });

  test('keeps a shortcut alive over the ops that it passes', () => {
    const build = new GraphBuilder('shortcut');
    const a = relu(build, build.input('x', f32(100)));
    const b = relu(build, a);
    const c = relu(build, b);
    const d = relu(build, c);
    build.output('y', build.op('add', [d, a], {}));
    const plan = planSlots(build.build());
    expect([b, c, d].map((id) => slotOf(plan, id) === slotOf(plan, a))).toEqual([false, false, false]);
    expect(plan.slots).toEqual([400, 400, 400]);
  });

  test('lets a view share the slot and keeps that alive', () => {
    const build = new GraphBuilder('view');
    const a = relu(build, build.input('x', f32(10, 10)));
    const flat = build.op('reshape', [a], { shape: [100] });
    const nested = build.op('reshape', [flat], { shape: [4, 25] });
    const b = relu(build, a);
    build.output('sum', build.op('reduceSum', [nested], {}));
    build.output('b', relu(build, b));
    const plan = planSlots(build.build());
    expect([flat, nested].map((id) => slotOf(plan, id))).toEqual([slotOf(plan, a), slotOf(plan, a)]);
    expect(slotOf(plan, b)).not.toBe(slotOf(plan, a));
  });

  test('keeps a view of a tensor, and an update of one, in the tensor', () => {
    const build = new GraphBuilder('tensors');
    const x = build.input('x', f32(2, 3));
    const flat = build.op('reshape', [x], { shape: [6] });
    const updated = build.op('assignAdd', [build.input('state', f32(6)), flat], {});
    const plan = planSlots(build.build());
    expect(plan.storage.get(flat)).toEqual({ kind: 'tensor', name: 'x' });
    expect(plan.storage.get(updated)).toEqual({ kind: 'tensor', name: 'state' });
    expect(plan.slots).toEqual([]);
  });

  test('gives a workspace the slot of a value that is not alive, the smallest that is large enough', () => {
    const build = new GraphBuilder('workspace');
    const large = relu(build, build.input('x', f32(200)));
    const small = relu(build, build.input('w', f32(50)));
    const sums = [large, small].map((id) => build.op('reduceSum', [id], {}));
    const both = build.op('add', [sums[0] ?? 0, sums[1] ?? 0], {});
    build.output('y', both);
    const plan = planSlots(build.build(), { workspaces: [[], [], [], [], [100, 600]] });
    expect(plan.workspaces[4]).toEqual([slotOf(plan, small), slotOf(plan, large)]);
    expect(plan.slots).toEqual([800, 200, 4, 4]);
  });

  test('gives a slot to a result that nobody reads', () => {
    const build = new GraphBuilder('unread');
    const y = relu(build, build.input('x', f32(3)));
    const graph = build.build();
    expect(planSlots(graph).storage.get(y)).toEqual({ kind: 'slot', slot: 0 });
    expect(planSlots(graph).slots).toEqual([byteLength(valueOf(graph, y))]);
  });

  test('needs about what a plan of offsets does, for a network of equal blocks', () => {
    const build = new GraphBuilder('network');
    let x = build.input('x', f32(100));
    for (let block = 0; block < 20; block++) x = relu(build, build.op('add', [relu(build, relu(build, x)), x], {}));
    build.output('y', x);
    const graph = build.build();
    expect(total(planSlots(graph))).toBe(planMemory(graph, { alignment: 4, inPlace: false }).arenaBytes);
  });
});

test('the simulation finds a plan that is wrong', () => {
  const build = new GraphBuilder('shortcut');
  const a = relu(build, build.input('x', f32(8)));
  const b = relu(build, a);
  build.output('y', build.op('add', [b, a], {}));
  const graph = build.build();
  const plan = planSlots(graph);
  const wrong = { ...plan, storage: new Map(plan.storage).set(b, { kind: 'slot', slot: slotOf(plan, a) }) };
  expect(simulateSlots(graph, plan)).toEqual([]);
  expect(simulateSlots(graph, wrong)).toEqual([
    `op 1 writes to the slot of value ${a}, which it reads`,
    `op 2 reads value ${a}, but its slot holds value ${b}`,
  ]);
});
