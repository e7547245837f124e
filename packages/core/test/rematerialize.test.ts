import { describe, expect, test } from 'vitest';
import {
  evaluate,
  fuse,
  GraphBuilder,
  gradients,
  OutOfMemoryError,
  planMemory,
  rematerialize,
  type Graph,
  type ValueId,
} from '../src/index.ts';
import { createReferenceBackend } from '../src/reference/index.ts';
import { tensorData } from './support/rematerialized.ts';

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;

/** Residual units of batch norm, relu and a 1×1 convolution, some with dropout on the shortcut, their gradients as outputs, and an update of every filter. */
function trainingStep(units: number, rows = 64): Graph {
  const channels = 4;
  const build = new GraphBuilder('units');
  const statistics = {
    epsilon: 1e-3,
    momentum: 0.9,
    movingVariance: 'biased',
    residual: false,
    activation: 'none',
  } as const;
  const conv = {
    window: { strides: [1, 1], padding: { top: 0, bottom: 0, left: 0, right: 0 } },
    bias: false,
    residual: false,
    activation: 'none',
  } as const;
  const filters: ValueId[] = [];
  let y = build.input('x', f32(rows, 1, 1, channels));
  const random = build.input('random', { shape: [4], dtype: 'i32' });
  for (let i = 0; i < units; i++) {
    const vectors = ['gamma', 'beta', 'mean', 'variance'].map((name) => build.input(`${i}/${name}`, f32(channels)));
    const filter = build.input(`${i}/filter`, f32(1, 1, channels, channels));
    filters.push(filter);
    const activated = build.op('relu', [build.op('batchNormTraining', [y, ...vectors], statistics)], {});
    const shortcut = i % 4 === 0 ? build.op('dropout', [y, random], { keep: 0.5, scale: 1, stream: i }) : y;
    y = build.op('add', [shortcut, build.op('conv2d', [activated, filter], conv)], {});
  }
  const loss = build.op('l2Penalty', [y], { scale: 0.5 });
  const backward = gradients(build.build(), loss, filters);
  const step = new GraphBuilder('units training', backward.graph);
  backward.gradients.forEach((gradient, i) => step.output(`${i}/gradient`, gradient));
  const rate = step.input('rate', f32());
  filters.forEach((filter, i) => {
    const velocity = step.input(`${i}/velocity`, f32(1, 1, channels, channels));
    const attrs = { momentum: 0.9, nesterov: false };
    step.op('sgdMomentum', [filter, velocity, backward.gradients[i] as ValueId, rate], attrs);
  });
  return step.build();
}

const arena = (graph: Graph): number => planMemory(graph, { alignment: 64 }).arenaBytes;

describe('rematerialize', () => {
  test.each([true, false])('gives the same bits, moving statistics and updates included (fused: %s)', async (fused) => {
    const original = trainingStep(12);
    const graph = fused ? fuse(original) : original;
    const limitBytes = Math.floor(arena(graph) * 0.6);
    const result = rematerialize(graph, { limitBytes });
    expect(result.bytes).toBe(arena(result.graph));
    expect(result.bytes).toBeLessThanOrEqual(limitBytes);
    expect(result.recomputedOps).toBeGreaterThan(0);
    expect(result.graph.ops).toHaveLength(graph.ops.length + result.recomputedOps);
    const inputs = tensorData(graph);
    const backend = createReferenceBackend();
    const before = await evaluate(backend, graph, inputs, { fuse: false });
    expect(await evaluate(backend, result.graph, inputs, { fuse: false })).toEqual(before);
    expect(before['3/mean']).not.toEqual(inputs['3/mean']);
    expect(before['3/filter']).not.toEqual(inputs['3/filter']);
  });

  test('leaves a graph alone that fits, and recomputes the more the less it may take', () => {
    const graph = fuse(trainingStep(24));
    const whole = arena(graph);
    expect(rematerialize(graph, { limitBytes: whole })).toEqual({
      graph,
      bytes: whole,
      wholeBytes: whole,
      recomputedOps: 0,
      recomputedShare: 0,
    });
    const shares = [0.9, 0.7, 0.5].map((part) => rematerialize(graph, { limitBytes: whole * part }).recomputedShare);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares[0]).toBeGreaterThan(0);
    expect(shares[2]).toBeLessThan(1 / 3);
  });

  test('says the least that is possible, which then is', () => {
    const graph = fuse(trainingStep(24));
    let error: unknown;
    try {
      rematerialize(graph, { limitBytes: 100 });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(OutOfMemoryError);
    const { details, message } = error as OutOfMemoryError;
    const smallest = details['smallestBytes'] as number;
    expect(message).toContain('allow more memory, or take a smaller batch');
    expect(smallest).toBeLessThan(arena(graph) / 2);
    expect(rematerialize(graph, { limitBytes: smallest }).bytes).toBeLessThanOrEqual(smallest);
  });

  test('asks the backend what it takes', () => {
    const graph = fuse(trainingStep(24));
    const twice = (candidate: Graph): number => 2 * arena(candidate);
    const { bytes, wholeBytes } = rematerialize(graph, { limitBytes: 1.2 * arena(graph), bytesOf: twice });
    expect(wholeBytes).toBe(2 * arena(graph));
    expect(bytes).toBeLessThanOrEqual(1.2 * arena(graph));
  });
});
