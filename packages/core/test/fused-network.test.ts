import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fuse, gradients, GraphBuilder, inputValues, planMemory, valueOf, window2d, type Graph } from '../src/index.ts';
import { differences } from './support/differences.ts';
import { randomGraph } from './support/random-graph.ts';
import { residualBlock, type Network } from './support/residual-block.ts';
import { simulatePlan } from './support/simulate-plan.ts';
import { runUnrounded } from './support/single-op.ts';
import { randomTensor } from './support/tensor-data.ts';

const count = (kind: string, of: Graph): number => of.ops.filter((op) => op.kind === kind).length;

/** The block with its loss and all gradients as results. */
function withGradients({ graph, loss, parameters }: Network): Graph {
  const extended = gradients(graph, loss, parameters);
  const build = new GraphBuilder(graph.name, extended.graph);
  build.output('loss', loss);
  extended.gradients.forEach((id, i) => build.output(`gradient/${valueOf(graph, parameters[i] ?? -1).name}`, id));
  return build.build();
}

describe.each(['training', 'inference'] as const)('a residual block, %s', (mode) => {
  const network = residualBlock(mode);
  const graph = withGradients(network);

  test('has the same loss, gradients and moving statistics, fused or not', async () => {
    const plain = await runUnrounded(graph, network.data);
    const fused = await runUnrounded(graph, network.data, { fuse: true, guard: true });
    expect(Number.isFinite(plain['loss']?.[0])).toBe(true);
    expect(differences(fused, plain, 1e-12)).toEqual([]);
  });

  test('loses all ops that can ride in an epilogue', () => {
    const fused = fuse(graph);
    expect(fused.ops.length).toBeLessThan(graph.ops.length);
    expect(count('conv2d', fused)).toBe(3);
    // Only the bias of the dense layer is left: a product of matrices has no epilogue.
    expect(count('biasAdd', fused)).toBe(1);
    expect(count('relu', fused)).toBe(0);
  });
});

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;

describe('an op stays where it is', () => {
  test('when what it reads through a view is updated before the op that it might absorb', async () => {
    const build = new GraphBuilder('view');
    const state = build.input('state', f32(4));
    const image = build.op('reshape', [state], { shape: [1, 2, 2, 1] });
    const y = build.op('conv2d', [image, build.input('filter', f32(1, 1, 1, 1))], {
      window: window2d(1),
      bias: false,
      residual: false,
      activation: 'none',
    });
    build.op('assignAdd', [state, build.input('step', f32(4))], {});
    build.output('y', build.op('relu', [y], {}));
    const graph = build.build();
    const data = { state: [1, -2, 3, -4], filter: [2], step: [10, 10, 10, 10] };
    const results = await runUnrounded(graph, data, { fuse: true });
    expect(Array.from(results['y'] ?? [])).toEqual([2, 0, 6, 0]);
    expect(Array.from(results['state'] ?? [])).toEqual([11, 8, 13, 6]);
  });

  test('when its epilogue would read another of its own results', async () => {
    const build = new GraphBuilder('own');
    const names = ['x', 'gamma', 'beta', 'movingMean', 'movingVariance'];
    const inputs = names.map((name) => build.input(name, f32(1)));
    const attrs = { epsilon: 1, momentum: 0.5, movingVariance: 'biased', residual: false, activation: 'none' } as const;
    const [y = -1, mean = -1] = build.opOutputs('batchNormTraining', inputs, attrs);
    build.output('sum', build.op('add', [y, mean], {}));
    const data = { x: [5], gamma: [1], beta: [2], movingMean: [0], movingVariance: [1] };
    const results = await runUnrounded(build.build(), data, { fuse: true });
    expect(Array.from(results['sum'] ?? [])).toEqual([7]);
  });
});

describe('any graph', () => {
  test('computes the same, fused or not', async () => {
    await fc.assert(
      fc.asyncProperty(randomGraph, async (graph) => {
        const inputs = inputValues(graph).map(({ name = '', shape }) => [name, randomTensor(shape, name, 0.1, 1).data]);
        const data: Record<string, ArrayLike<number>> = Object.fromEntries(inputs);
        const plain = await runUnrounded(graph, data);
        expect(differences(await runUnrounded(graph, data, { fuse: true, guard: true }), plain, 1e-9)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test('has a plan that lets every op read what was written, when fused', () => {
    fc.assert(
      fc.property(randomGraph, (graph) => {
        const fused = fuse(graph);
        expect(simulatePlan(fused, planMemory(fused, { alignment: 16 }))).toEqual([]);
      }),
    );
  });
});
