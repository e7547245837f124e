import { createHash } from 'node:crypto';
import { heNormal } from '@skiplane/core';
import { initialParameters, modelConfig, parameterSpecs, summarize, type LayerSummary } from '@skiplane/resnet';
import { describe, expect, test } from 'vitest';
import { skiplane } from './cli.ts';
import { readJson, totalsOf, type Totals } from './keras/fixtures.ts';
import { batchOf, fnv1a, parametersOf, uniforms } from './keras/formula.ts';

/** Keras's fixtures that need no backend: the formula of their inputs, summaries, and he_normal. */

interface Described extends Totals {
  readonly name: string;
  readonly shape: readonly number[];
  readonly first: readonly number[];
}
interface Inputs {
  readonly fnv1a: Readonly<Record<string, number>>;
  readonly uniform: Readonly<Record<string, readonly number[]>>;
  readonly parameters: Readonly<Record<string, readonly Described[]>>;
  readonly batches: readonly (Described & { readonly labels: readonly number[] })[];
}

function expectSame(values: Float32Array, { name, first, count, sum, l2 }: Described): void {
  expect(Array.from(values.subarray(0, first.length)), `of ${name}`).toEqual(first);
  const ours = totalsOf(values);
  expect(ours.count, `of ${name}`).toBe(count);
  // Sums of float64 in another order.
  expect(Math.abs(ours.sum - sum), `of ${name}`).toBeLessThan(1e-12 * count);
  expect(Math.abs(ours.l2 / l2 - 1), `of ${name}`).toBeLessThan(1e-12);
}

describe('the formula gives the numbers that Keras was given', () => {
  const inputs = readJson('inputs.json') as Inputs;

  test('hashes and uniforms', () => {
    for (const [text, hash] of Object.entries(inputs.fnv1a)) expect(fnv1a(text)).toBe(hash);
    for (const [name, first] of Object.entries(inputs.uniform))
      expect([...uniforms(name, first.length)]).toEqual(first);
  });

  test.each(Object.entries(inputs.parameters))('parameters of %s', (model, described) => {
    const specs = parameterSpecs(modelConfig(model));
    expect(specs.map(({ name, shape }) => ({ name, shape }))).toEqual(
      described.map(({ name, shape }) => ({ name, shape })),
    );
    const parameters = parametersOf(specs);
    for (const one of described) expectSame(parameters.get(one.name) ?? new Float32Array(), one);
  });

  test.each(inputs.batches)('$name', (described) => {
    const { images, classes } = batchOf(described.name.replace('/images', ''), described.shape[0] ?? 0);
    expectSame(images, described);
    expect(classes).toEqual(described.labels);
  });
});

type Row = readonly [name: string, kind: string, shape: readonly number[], parameters: number];
interface Summary {
  readonly model: string;
  readonly total: number;
  readonly trainable: number;
  readonly nonTrainable: number;
  readonly layers: number;
  readonly rowsSha256: string;
  readonly rows?: readonly Row[];
  readonly summaryOrder?: readonly string[];
}

const rowsOf = (layers: readonly LayerSummary[]): Row[] =>
  layers.map(({ name, kind, outputShape, parameters }) => [name, kind, outputShape, parameters]);

describe("skiplane summary has the rows of Keras's", () => {
  const summaries = readJson('summaries.json') as readonly Summary[];

  test.each(summaries)('$model', ({ model, total, trainable, nonTrainable, layers, rowsSha256, ...rest }) => {
    const ours = summarize(modelConfig(model));
    expect(ours.parameters).toEqual({ total, trainable, nonTrainable });
    const rows = rowsOf(ours.layers);
    expect(rows).toHaveLength(layers);
    if (rest.rows !== undefined) expect(rows).toEqual(rest.rows);
    const text = rows.map(([name, kind, shape, count]) => `${name} ${kind} ${shape.join('x')} ${count}\n`).join('');
    expect(createHash('sha256').update(text).digest('hex')).toBe(rowsSha256);
    if (rest.summaryOrder !== undefined)
      expect(rows.map(([name]) => name).toSorted()).toEqual(rest.summaryOrder.toSorted());
  });

  test('as the command prints them', async () => {
    const { rows } = summaries.find(({ model }) => model === 'resnet20v1') ?? {};
    const { stdout } = await skiplane(['summary', 'resnet20v1', '--json']);
    expect(rowsOf((JSON.parse(stdout) as { layers: readonly LayerSummary[] }).layers)).toEqual(rows);
  }, 60_000);
});

interface Moments {
  readonly std: number;
  readonly kurtosis: number;
  readonly withinOneSigma: number;
}
interface HeNormal {
  readonly filters: readonly {
    readonly shape: readonly number[];
    readonly expected: Moments & { readonly sigma: number; readonly bound: number };
    readonly measured: Moments & { readonly count: number; readonly mean: number };
  }[];
}

describe('he_normal is that of Keras', () => {
  const { filters } = readJson('he-normal.json') as HeNormal;

  test('in the initial parameters of a model', () => {
    const config = modelConfig('resnet8v1');
    const initial = initialParameters(config, 7);
    const drawn = parameterSpecs(config).filter(({ name }) => /\/(filter|kernel)$/.test(name));
    expect(drawn).toHaveLength(10);
    for (const { name, shape } of drawn) {
      const expected = heNormal(shape, 7, name);
      expect(
        initial.get(name)?.every((value, i) => value === expected[i]),
        `of ${name}`,
      ).toBe(true);
    }
  });

  test.each(filters)('in its moments, $shape', ({ shape, expected, measured }) => {
    const elements = shape.reduce((product, length) => product * length, 1);
    const draws = measured.count / elements;
    let [sum, squares, fourths, inside, largest] = [0, 0, 0, 0, 0];
    for (let seed = 0; seed < draws; seed++) {
      for (const weight of heNormal(shape, seed, 'filter')) {
        const z = weight / expected.sigma;
        sum += weight;
        squares += z * z;
        fourths += z ** 4;
        if (Math.abs(z) < 1) inside++;
        largest = Math.max(largest, Math.abs(weight));
      }
    }
    const { count } = measured;
    const std = Math.sqrt(squares / count) * expected.sigma;
    const kurtosis = (fourths * count) / squares ** 2;
    const within = inside / count;
    // Five standard errors of 400,000 draws, from the exact moments, and twice that from those that Keras drew.
    const error = {
      std: 5 * Math.sqrt((expected.kurtosis - 1) / 4 / count),
      within: 5 * Math.sqrt(0.25 / count),
      kurtosis: 0.03,
    };
    expect(Math.abs(sum / count)).toBeLessThan((5 * expected.std) / Math.sqrt(count));
    for (const [to, factor] of [
      [expected, 1],
      [measured, 2],
    ] as const) {
      expect(Math.abs(std / to.std - 1)).toBeLessThan(factor * error.std);
      expect(Math.abs(kurtosis - to.kurtosis)).toBeLessThan(factor * error.kurtosis);
      expect(Math.abs(within - to.withinOneSigma)).toBeLessThan(factor * error.within);
    }
    // Nothing beyond two sigma, but for the rounding to float32, and something close to it.
    expect(largest).toBeLessThanOrEqual(expected.bound * (1 + 2 ** -24));
    expect(largest).toBeGreaterThan(expected.bound * 0.999);
  });
});
