import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { byteLength, GraphBuilder, planMemory, valueOf, type Graph, type ValueId } from '../src/index.ts';
import { randomGraph } from './support/random-graph.ts';
import { simulatePlan } from './support/simulate-plan.ts';

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;
const relu = (build: GraphBuilder, x: ValueId): ValueId => build.op('relu', [x], {});

describe('any plan', () => {
  const options = fc.record({
    alignment: fc.constantFrom(4, 16, 64, 256),
    gap: fc.constantFrom(0, 4, 64),
    inPlace: fc.boolean(),
    workspaces: fc.array(fc.nat({ max: 300 }), { maxLength: 40 }),
  });

  test('lets every op read what was written', () => {
    fc.assert(
      fc.property(randomGraph, options, (graph, { workspaces, ...rest }) => {
        const plan = planMemory(graph, { ...rest, workspaceBytes: workspaces });
        expect(simulatePlan(graph, plan, workspaces)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('keeps blocks that live at the same time apart, aligned, with gaps all blocks, inside the arena', () => {
    fc.assert(
      fc.property(randomGraph, options, (graph, { workspaces, ...rest }) => {
        const plan = planMemory(graph, { ...rest, workspaceBytes: workspaces });
        const overlaps = plan.blocks.flatMap((a, i) =>
          plan.blocks.slice(i + 1).flatMap((b) => {
            const together = rest.gap > 0 || (a.firstOp <= b.lastOp && b.firstOp <= a.lastOp);
            const apart = a.offset + a.bytes + rest.gap <= b.offset || b.offset + b.bytes + rest.gap <= a.offset;
            return together && !apart ? [[a, b]] : [];
          }),
        );
        expect(overlaps).toEqual([]);
        for (const { offset, bytes } of plan.blocks) {
          expect(offset % rest.alignment).toBe(0);
          expect(offset + bytes + rest.gap).toBeLessThanOrEqual(plan.arenaBytes);
        }
      }),
    );
  });

  test('places every value, the named ones in their tensors, and every workspace', () => {
    fc.assert(
      fc.property(randomGraph, options, (graph, { workspaces, ...rest }) => {
        const plan = planMemory(graph, { ...rest, workspaceBytes: workspaces });
        expect([...plan.storage.keys()].toSorted((a, b) => a - b)).toEqual(graph.values.map(({ id }) => id));
        for (const { id, name } of graph.values) {
          if (name !== undefined) expect(plan.storage.get(id)).toEqual({ kind: 'tensor', name });
        }
        const needed = graph.ops.map((_, index) => (workspaces[index] ?? 0) > 0);
        expect(plan.workspace.map((offset) => offset !== undefined)).toEqual(needed);
      }),
    );
  });

  test('needs at least what lives at one time and at most all together', () => {
    fc.assert(
      fc.property(randomGraph, (graph) => {
        const plan = planMemory(graph, { alignment: 4 });
        const livingAt = (op: number): number =>
          plan.blocks.reduce((sum, { bytes, firstOp, lastOp }) => sum + (firstOp <= op && op <= lastOp ? bytes : 0), 0);
        expect(plan.arenaBytes).toBeGreaterThanOrEqual(Math.max(0, ...graph.ops.map((_, op) => livingAt(op))));
        expect(plan.arenaBytes).toBeLessThanOrEqual(plan.blocks.reduce((sum, { bytes }) => sum + bytes, 0));
      }),
    );
  });
});

test('the simulation finds a plan that is wrong', () => {
  const build = new GraphBuilder('shortcut');
  const a = relu(build, build.input('x', f32(8)));
  const b = relu(build, a);
  build.output('y', build.op('add', [b, a], {}));
  const graph = build.build();
  const plan = planMemory(graph, { alignment: 4 });
  const wrong = { ...plan, storage: new Map(plan.storage).set(b, { kind: 'arena', offset: 4 }) };
  expect(simulatePlan(graph, plan)).toEqual([]);
  expect(simulatePlan(graph, wrong)).toEqual([
    'value 1 is damaged while op 1 reads it',
    'value 1 is damaged before op 2',
    'value 1 is damaged while op 2 reads it',
  ]);
});

/** x → relu → … → y, of 100 f32 each. */
function chain(length: number): Graph {
  const build = new GraphBuilder('chain');
  let value = build.input('x', f32(100));
  for (let i = 0; i < length; i++) value = relu(build, value);
  build.output('y', value);
  return build.build();
}

describe('planMemory', () => {
  test('runs a chain of elementwise ops in one block, in place', () => {
    expect(planMemory(chain(6), { alignment: 4 }).arenaBytes).toBe(400);
  });

  test('needs two blocks for a chain that may not work in place', () => {
    const plan = planMemory(chain(6), { alignment: 4, inPlace: false });
    expect(plan.arenaBytes).toBe(800);
    expect(plan.blocks).toHaveLength(5);
  });

  test('rounds blocks up to the alignment', () => {
    expect(planMemory(chain(6), { alignment: 256, inPlace: false }).arenaBytes).toBe(2 * 512);
  });

  test('with gaps, lays all blocks side by side, so that a gap stays a gap during the whole run', () => {
    const plan = planMemory(chain(6), { alignment: 256, gap: 4, inPlace: false });
    expect(plan.blocks.map(({ offset }) => offset)).toEqual([0, 768, 1536, 2304, 3072]);
    expect(plan.arenaBytes).toBe(5 * (512 + 256));
  });

  test('does not overwrite an operand that is read later: a shortcut', () => {
    const build = new GraphBuilder('shortcut');
    const a = relu(build, build.input('x', f32(100)));
    const b = relu(build, a);
    build.output('y', build.op('add', [b, a], {}));
    const plan = planMemory(build.build(), { alignment: 4 });
    expect(plan.storage.get(a)).not.toEqual(plan.storage.get(b));
    expect(plan.arenaBytes).toBe(800);
  });

  test('does not overwrite an operand that the op reads twice', () => {
    const build = new GraphBuilder('square');
    const a = relu(build, build.input('x', f32(100)));
    const square = build.op('multiply', [a, a], {});
    build.output('y', relu(build, square));
    const plan = planMemory(build.build(), { alignment: 4 });
    expect(plan.storage.get(square)).not.toEqual(plan.storage.get(a));
  });

  test('lets a view share the block and keeps that alive', () => {
    const build = new GraphBuilder('view');
    const a = relu(build, build.input('x', f32(10, 10)));
    const flat = build.op('reshape', [a], { shape: [100] });
    const nested = build.op('reshape', [flat], { shape: [4, 25] });
    const b = relu(build, a);
    build.output('sum', build.op('reduceSum', [nested], {}));
    build.output('b', relu(build, b));
    const plan = planMemory(build.build(), { alignment: 4 });
    expect(plan.storage.get(flat)).toEqual(plan.storage.get(a));
    expect(plan.storage.get(nested)).toEqual(plan.storage.get(a));
    expect(plan.storage.get(b)).not.toEqual(plan.storage.get(a));
  });

  test('keeps a view of a bound tensor in the tensor', () => {
    const build = new GraphBuilder('bound');
    const flat = build.op('reshape', [build.input('x', f32(2, 3))], { shape: [6] });
    build.output('y', relu(build, flat));
    const plan = planMemory(build.build(), { alignment: 4 });
    expect(plan.storage.get(flat)).toEqual({ kind: 'tensor', name: 'x' });
    expect(plan.arenaBytes).toBe(0);
  });

  test('writes an update to the tensor that it replaces', () => {
    const build = new GraphBuilder('update');
    const x = build.input('x', f32(3));
    const state = build.input('state', f32(3));
    const updated = build.op('assignAdd', [state, x], {});
    expect(planMemory(build.build(), { alignment: 4 }).storage.get(updated)).toEqual({ kind: 'tensor', name: 'state' });
  });

  test('gives a workspace the room of values that are not alive', () => {
    const build = new GraphBuilder('workspace');
    const a = relu(build, build.input('x', f32(100)));
    const sum = build.op('reduceSum', [a], {});
    const grown = build.op('broadcastScalar', [sum], { shape: [100] });
    build.output('y', grown);
    const graph = build.build();
    const plan = planMemory(graph, { alignment: 4, workspaceBytes: [0, 0, 400] });
    expect(plan.workspace).toEqual([undefined, undefined, 0]);
    expect(plan.arenaBytes).toBe(404);
    expect(simulatePlan(graph, plan, [0, 0, 400])).toEqual([]);
  });

  test('places an unread result too', () => {
    const build = new GraphBuilder('unread');
    const y = relu(build, build.input('x', f32(3)));
    const graph = build.build();
    expect(planMemory(graph, { alignment: 4 }).storage.get(y)).toEqual({ kind: 'arena', offset: 0 });
    expect(planMemory(graph, { alignment: 4 }).arenaBytes).toBe(byteLength(valueOf(graph, y)));
  });
});
