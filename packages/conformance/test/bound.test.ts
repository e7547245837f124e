import { GraphBuilder, type Graph, type OpKind, type TypedArray } from '@skiplane/core';
import { boundGraph, resultsOf, runOracle, smallestNormal, unitRoundoff } from '@skiplane/core/reference';
import { describe, expect, it } from 'vitest';
import { expectSaneBounds } from '../src/check-graph.ts';
import { Composer, convolution } from '../src/compose/composer.ts';
import { fillData, type FillKind } from '../src/data.ts';

const u = unitRoundoff;

/** The oracle's elements and the bounds of every result of a graph. */
async function analyse(graph: Graph, inputs: ReadonlyMap<string, TypedArray>) {
  const values = await runOracle(graph, inputs);
  const bounds = await boundGraph(graph, values);
  const result = (name: string) => {
    const id = resultsOf(graph).get(name) ?? -1;
    return { value: values.get(id) ?? new Float64Array(), error: bounds.error.get(id) ?? new Float64Array() };
  };
  return { bounds, result };
}

function sumGraph(length: number): Graph {
  const build = new GraphBuilder('sum');
  build.output('y', build.op('reduceSum', [build.input('x', { shape: [length], dtype: 'f32' })], {}));
  return build.build();
}

function naiveSum(data: Float32Array): number {
  return data.reduce((sum, value) => Math.fround(sum + value), 0);
}

describe('the bound of a sum', () => {
  it('is (2 + √K)·u·Σ|x·filter|, K counting the epilogue', async () => {
    const c = new Composer('conv', 1);
    const { window, x, filter, y } = convolution({
      batch: 1,
      height: 1,
      width: 1,
      inChannels: 5,
      outChannels: 2,
      kernel: 1,
      stride: 1,
    });
    const operands = [c.input('x', x), c.input('filter', filter), c.input('bias', [2]), c.input('residual', y)];
    const conv = c.op('conv2d', operands, { window, bias: true, residual: true, activation: 'none' });
    const { graph, inputs } = c.finish({ y: conv });
    const { result } = await analyse(graph, inputs);
    const read = (name: string, i: number): number => inputs.get(name)?.[i] as number;
    for (const k of [0, 1]) {
      let magnitude = Math.abs(read('bias', k)) + Math.abs(read('residual', k));
      for (let i = 0; i < 5; i++) magnitude += Math.abs(read('x', i) * read('filter', 2 * i + k));
      expect(result('y').error[k]).toBeCloseTo((2 + Math.sqrt(5 + 2)) * u * magnitude + 8 * smallestNormal, 20);
    }
  });

  it.each([27, 576, 4608, 100_352])('holds for a naive f32 sum of %i terms, and is not loose', async (terms) => {
    let worst = 0;
    for (const kind of ['uniform', 'positive'] as const satisfies readonly FillKind[]) {
      for (let seed = 1; seed <= 20; seed++) {
        const data = fillData([terms], { kind, seed });
        const { result } = await analyse(sumGraph(terms), new Map([['x', data]]));
        const { value, error } = result('y');
        worst = Math.max(worst, Math.abs(naiveSum(data) - (value[0] as number)) / (error[0] as number));
      }
    }
    expect(worst).toBeLessThan(1);
    expect(worst).toBeGreaterThan(0.1);
  });

  it('is not met by a sum that drops one of 4608 terms', async () => {
    const data = fillData([4608], { kind: 'uniform', seed: 3 });
    const { result } = await analyse(sumGraph(4608), new Map([['x', data]]));
    const { value, error } = result('y');
    expect(Math.abs(naiveSum(data.subarray(1)) - (value[0] as number))).toBeGreaterThan(10 * (error[0] as number));
  });
});

describe('errors that run through a graph', () => {
  it('add up along it, and a relu keeps exact zeros', async () => {
    const c = new Composer('chain', 1);
    const [a, b, d] = [c.input('a', [40]), c.input('b', [40]), c.input('d', [40])];
    const { graph, inputs } = c.finish({ y: c.relu(c.add(c.op('multiply', [a, b], {}), d)) });
    const { value, error } = (await analyse(graph, inputs)).result('y');
    const read = (name: string, i: number): number => inputs.get(name)?.[i] as number;
    value.forEach((y, i) => {
      const product = Math.abs(read('a', i) * read('b', i));
      if (y === 0) expect(error[i]).toBe(0);
      else expect(error[i]).toBeCloseTo(u * (product + y), 12);
    });
    expect(value.some((y) => y === 0)).toBe(true);
  });

  it('leave a mask open only where rounding may turn it', async () => {
    const c = new Composer('mask', 1);
    const near = c.inputOf('near', [3], Float32Array.of(1, 1 + 2 ** -23, -1));
    const far = c.inputOf('far', [3], Float32Array.of(-1, -1, 0.5));
    const scaled = c.op('affine', [near], { scale: 1 / 3, offset: 0 });
    const negated = c.op('affine', [far], { scale: 1 / 3, offset: 0 });
    const dy = c.inputOf('dy', [3], Float32Array.of(5, 5, 5));
    const { graph, inputs } = c.finish({ dx: c.op('reluGrad', [dy, c.add(scaled, negated)], {}) });
    const { error } = (await analyse(graph, inputs)).result('dx');
    expect([...error]).toEqual([5, 5, 0]);
  });

  it('come from inputs only where these are subnormal and may be flushed', async () => {
    const c = new Composer('flush', 1);
    const x = c.inputOf('x', [3], Float32Array.of(1, 2 ** -130, 0));
    const { graph, inputs } = c.finish({ y: c.relu(x) });
    expect([...(await analyse(graph, inputs)).result('y').error]).toEqual([0, 2 ** -130, 0]);
  });
});

/** Bound of inverseStd beside its value. */
async function relative(kind: FillKind): Promise<number> {
  const c = new Composer('bn', 1);
  const operands = [
    c.input('x', [50, 1], kind),
    c.input('gamma', [1], 'equal'),
    c.input('beta', [1]),
    c.input('m', [1]),
    c.input('v', [1], 'positive'),
  ];
  const attrs = {
    epsilon: 1e-5,
    momentum: 0.9,
    movingVariance: 'biased',
    residual: false,
    activation: 'none',
  } as const;
  const [y = -1, mean = -1, inverseStd = -1] = c.build.opOutputs('batchNormTraining', operands, attrs);
  const { graph, inputs } = c.finish({ y, mean, inverseStd });
  const { value, error } = (await analyse(graph, inputs)).result('inverseStd');
  return (error[0] as number) / (value[0] as number);
}

describe('batch norm', () => {
  it('allows less for a spread-out batch than for one far from zero', async () => {
    expect(await relative('uniform')).toBeLessThan(50 * u);
    expect(await relative('offset')).toBeGreaterThan(100 * u);
    expect(await relative('offset')).toBeLessThan(1e-3);
  });
});

describe('kernels with a claim of their own', () => {
  const c = new Composer('claim', 1);
  const { window, x, filter } = convolution({
    batch: 1,
    height: 5,
    width: 5,
    inChannels: 1,
    outChannels: 1,
    kernel: 3,
    stride: 1,
  });
  const peak = new Float32Array(25);
  peak[0] = 7;
  const taps = Float32Array.of(0, 0, 0, 0, -2, 0, 0, 0, 0);
  const { graph, inputs } = c.finish({ y: c.conv(c.inputOf('x', x, peak), c.inputOf('filter', filter, taps), window) });

  it('multiply the bound', async () => {
    const values = await runOracle(graph, inputs);
    const y = resultsOf(graph).get('y') ?? -1;
    const plain = (await boundGraph(graph, values)).error.get(y)?.[0] as number;
    const claimed = (
      await boundGraph(graph, values, { kernelBound: (kind: OpKind) => (kind === 'conv2d' ? 10 : 1) })
    ).error.get(y)?.[0] as number;
    expect(claimed / plain).toBeCloseTo(10, 6);
  });
});

it('a bound that is large beside its terms is refused', async () => {
  const graph = sumGraph(10);
  const values = await runOracle(graph, new Map([['x', fillData([10], { kind: 'uniform', seed: 1 })]]));
  expect(() => expectSaneBounds(graph, { error: new Map(), scale: new Map() })).not.toThrow();
  const absurd = await boundGraph(graph, values, { kernelBound: () => 1e6 });
  expect(() => expectSaneBounds(graph, absurd)).toThrow(/absurd bound/);
});
