import { describe, expect, test } from 'vitest';
import { foldBatchNorm, GraphBuilder, inputValues, ValueError, window2d, type ValueId } from '../src/index.ts';
import { differences } from './support/differences.ts';
import { messageOf } from './support/error-message.ts';
import { residualBlock } from './support/residual-block.ts';
import { runUnrounded } from './support/single-op.ts';
import { randomTensor } from './support/tensor-data.ts';

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;
const toF32 = (data: Readonly<Record<string, ArrayLike<number>>>): Map<string, Float32Array> =>
  new Map(Object.entries(data).map(([name, values]) => [name, Float32Array.from(values)]));

describe('foldBatchNorm of a residual block', () => {
  const { graph, loss, data } = residualBlock('inference', false);
  const build = new GraphBuilder('inference', graph);
  build.output('loss', loss);
  const folded = foldBatchNorm(build.build());

  test('leaves no batch norm, and none of its parameters', () => {
    expect(folded.graph.ops.filter(({ kind }) => kind === 'batchNormInference')).toEqual([]);
    const names = inputValues(folded.graph).map(({ name = '' }) => name);
    expect(names.filter((name) => name.startsWith('bn'))).toEqual([]);
    expect([...folded.fold(toF32(data)).keys()].toSorted()).toEqual(names.toSorted());
  });

  test('has the same loss, up to the rounding of its parameters', async () => {
    const parameters = toF32(data);
    const plain = await runUnrounded(build.build(), Object.fromEntries(parameters));
    const results = await runUnrounded(folded.graph, Object.fromEntries(folded.fold(parameters)));
    expect(differences({ loss: results['loss'] ?? [] }, { loss: plain['loss'] ?? [] }, 1e-6)).toEqual([]);
  });
});

interface Options {
  readonly named?: 'conv' | 'biasAdd';
  readonly shared?: boolean;
  readonly convBias?: boolean;
  /** Default: true. */
  readonly biasAdd?: boolean;
}

/** conv → biasAdd → batch norm of two channels. */
function convBiasNorm({ named, shared = false, convBias = false, biasAdd = true }: Options = {}) {
  const build = new GraphBuilder('fold');
  const x = build.input('x', f32(1, 2, 2, 1));
  const filter = build.input('filter', f32(1, 1, 1, 2));
  const vector = (name: string): ValueId => build.input(name, f32(2));
  const attrs = { window: window2d(1), bias: convBias, residual: false, activation: 'none' } as const;
  const conv = build.op('conv2d', convBias ? [x, filter, vector('convBias')] : [x, filter], attrs);
  const biased = biasAdd ? build.op('biasAdd', [conv, vector('bias')], {}) : conv;
  if (named !== undefined) build.output('between', named === 'conv' ? conv : biased);
  const operands = [biased, ...['gamma', 'beta', 'mean', 'variance'].map(vector)];
  build.output('y', build.op('batchNormInference', operands, { epsilon: 0.5, residual: false, activation: 'none' }));
  if (shared) build.output('penalty', build.op('l2Penalty', [filter], { scale: 1 }));
  const graph = build.build();
  const data = inputValues(graph).map(({ name = '', shape }) => [name, randomTensor(shape, name, 0.5, 2).data]);
  return { graph, data: toF32(Object.fromEntries(data)) };
}

describe('foldBatchNorm', () => {
  test('computes filter·s and (bias − mean)·s + beta, rounded once', () => {
    const { graph } = convBiasNorm();
    const given = { filter: [2, 3], bias: [1, 5], gamma: [3, 1], beta: [10, 20], mean: [2, 1], variance: [3.5, 0.5] };
    const folded = foldBatchNorm(graph).fold(toF32(given));
    expect([...folded]).toEqual([
      ['filter', Float32Array.of(3, 3)],
      ['bias', Float32Array.of(8.5, 24)],
    ]);
  });

  test('gives a convolution without a bias one under the name of beta', async () => {
    const { graph, data } = convBiasNorm({ biasAdd: false });
    const folded = foldBatchNorm(graph);
    expect(folded.graph.ops.map(({ kind }) => kind)).toEqual(['conv2d', 'biasAdd']);
    expect(inputValues(folded.graph).map(({ name }) => name)).toEqual(['x', 'filter', 'beta']);
    const given = { filter: [2, 3], gamma: [3, 1], beta: [10, 20], mean: [2, 1], variance: [3.5, 0.5] };
    expect([...folded.fold(toF32(given))]).toEqual([
      ['filter', Float32Array.of(3, 3)],
      ['beta', Float32Array.of(7, 19)],
    ]);
    const results = await runUnrounded(folded.graph, Object.fromEntries(folded.fold(data)));
    const plain = await runUnrounded(graph, Object.fromEntries(data));
    expect(differences({ y: results['y'] ?? [] }, { y: plain['y'] ?? [] }, 1e-6)).toEqual([]);
  });

  test.each<[string, Options]>([
    ['without a bias, whose convolution is a result of the graph', { biasAdd: false, named: 'conv' }],
    ['without a bias, whose filter another op reads', { biasAdd: false, shared: true }],
    ['whose filter another op reads', { shared: true }],
    ['whose convolution is a result of the graph', { named: 'conv' }],
    ['whose input is a result of the graph', { named: 'biasAdd' }],
    ['behind a convolution with a bias of its own', { convBias: true }],
  ])('leaves a batch norm alone %s', async (_reason, options) => {
    const { graph, data } = convBiasNorm(options);
    const folded = foldBatchNorm(graph);
    expect(folded.graph.ops.map(({ kind }) => kind)).toEqual(graph.ops.map(({ kind }) => kind));
    const results = await runUnrounded(folded.graph, Object.fromEntries(folded.fold(data)));
    expect(results).toEqual(await runUnrounded(graph, Object.fromEntries(data)));
  });

  test('names a parameter that is missing', () => {
    const { graph, data } = convBiasNorm();
    data.delete('variance');
    expect(messageOf(ValueError, () => foldBatchNorm(graph).fold(data))).toBe(
      "foldBatchNorm: there is no parameter 'variance'.",
    );
  });
});
