import { describe, expect, test } from 'vitest';
import { isLayerGraph, loadModel, type LoadedModel } from '../src/index.ts';
import { signed } from './support/random.ts';

/** Layers models in memory; a weight's name is its layer's and its role. */

type Config = Readonly<Record<string, unknown>>;

const weights: Readonly<Record<string, readonly number[]>> = {
  'a/kernel': [3, 3, 3, 4],
  'a/bias': [4],
  'b/kernel': [1, 1, 4, 4],
  'b/bias': [4],
  'out/kernel': [4, 5],
  'out/bias': [5],
};

const values = Float32Array.from(signed('weights', 3 * 3 * 3 * 4 + 4 + 16 + 4 + 20 + 5));

function load(config: unknown, extra: Readonly<Record<string, readonly number[]>> = {}): Promise<LoadedModel> {
  const named = Object.entries({ ...weights, ...extra });
  const text = JSON.stringify({
    format: 'layers-model',
    modelTopology: { model_config: config },
    weightsManifest: [{ paths: ['data'], weights: named.map(([name, shape]) => ({ name, shape, dtype: 'float32' })) }],
  });
  const more = new Float32Array(Object.values(extra).reduce((sum, [n = 0]) => sum + n, 0));
  const data = new Uint8Array(Float32Array.of(...values, ...more).buffer);
  return loadModel(new TextEncoder().encode(text), { sibling: () => Promise.resolve(data) });
}

const layer = (name: string, className: string, config: Config, ...inbound: unknown[]) => ({
  name,
  class_name: className,
  config: { name, ...config },
  inbound_nodes: inbound,
});
const input = (name: string, ...shape: number[]) => layer(name, 'InputLayer', { batch_input_shape: [null, ...shape] });
const reads = (...calls: (string | readonly [string, number])[]) =>
  calls.map((call) => [...(typeof call === 'string' ? [call, 0] : call), 0, {}]);
const conv = { filters: 4, kernel_size: 3, padding: 'same' };
const point = { filters: 4, kernel_size: 1 };
const functional = (name: string, from: string, to: readonly [string, number], layers: readonly unknown[]) => ({
  class_name: 'Functional',
  config: { name, layers, input_layers: [[from, 0, 0]], output_layers: [[...to, 0]] },
});

/** conv, ReLU, 1×1 conv, sum of both, ReLU, mean, dense. */
const plain = functional('net', 'x', ['out', 0], [
  input('x', 8, 8, 3),
  layer('a', 'Conv2D', conv, reads('x')),
  layer('first', 'ReLU', {}, reads('a')),
  layer('b', 'Conv2D', point, reads('first')),
  layer('sum', 'Add', {}, reads('b', 'first')),
  layer('second', 'Activation', { activation: 'relu' }, reads('sum')),
  layer('mean', 'GlobalAveragePooling2D', {}, reads('second')),
  layer('out', 'Dense', { units: 5 }, reads('mean')),
]); // prettier-ignore

const head = (from: string, call = 0) => [
  layer('mean', 'GlobalAveragePooling2D', {}, reads([from, call])),
  layer('out', 'Dense', { units: 5 }, reads('mean')),
];

/** What is computed, and with which values, whatever the names. */
async function essence(config: unknown) {
  const { model, parameters } = await load(config);
  if (!isLayerGraph(model)) throw new Error('it is a graph');
  return { kinds: model.layers.map(({ kind, attrs }) => ({ kind, attrs })), values: [...parameters.values()] };
}

describe('the same network, written otherwise', () => {
  test.each<[string, unknown]>([
    [
      'one ReLU that is called twice',
      functional(
        'net',
        'x',
        ['out', 0],
        [
          input('x', 8, 8, 3),
          layer('relu', 'ReLU', {}, reads('a'), reads('sum')),
          layer('a', 'Conv2D', conv, reads('x')),
          layer('b', 'Conv2D', point, reads('relu')),
          layer('sum', 'Add', {}, reads('b', 'relu')),
          ...head('relu', 1),
        ],
      ),
    ],
    [
      "operators and functions of Keras 2, and a layer's own activation",
      functional(
        'net',
        'x',
        ['out', 0],
        [
          input('x', 8, 8, 3),
          layer(
            'a',
            'Conv2D',
            { ...conv, activation: { class_name: 'ReLU', config: { max_value: null } } },
            reads('x'),
          ),
          layer('b', 'Conv2D', point, reads('a')),
          layer('tf.add', 'TFOpLambda', { function: '__operators__.add' }, ['b', 0, 0, { y: ['a', 0, 0], name: null }]),
          layer('tf.relu', 'TFOpLambda', { function: 'nn.relu' }, ['tf.add', 0, 0, { name: null }]),
          ...head('tf.relu'),
        ],
      ),
    ],
    [
      'a model in a model, whose calls Keras 2 counts from 1',
      functional(
        'net',
        'x',
        ['out', 0],
        [
          input('x', 8, 8, 3),
          layer(
            'inner',
            'Functional',
            functional(
              'inner',
              'y',
              ['relu', 1],
              [
                input('y', 8, 8, 3),
                layer('a', 'Conv2D', conv, reads('y')),
                layer('relu', 'ReLU', {}, reads('a'), reads('sum')),
                layer(
                  'deep',
                  'Sequential',
                  { layers: [{ class_name: 'Conv2D', config: { name: 'b', ...point } }] },
                  reads('relu'),
                ),
                layer('sum', 'Add', {}, reads(['deep', 1], 'relu')),
              ],
            ).config,
            reads('x'),
          ),
          ...head('inner', 1),
        ],
      ),
    ],
    [
      'a Sequential of models',
      {
        class_name: 'Sequential',
        config: { name: 'net', layers: [plain] },
      },
    ],
  ])('%s', async (_, config) => {
    expect(await essence(config)).toEqual(await essence(plain));
  });
});

describe('what cannot be represented is refused, all of it in one error', () => {
  test('activations, layers at the input, and weights that are used twice', async () => {
    const config = functional(
      'net',
      'x',
      ['out', 0],
      [
        input('x', 8, 8, 3),
        layer('crop', 'RandomCrop', { height: 4, width: 4 }, reads('x')),
        layer('normal', 'Normalization', { invert: true }, reads('crop')),
        layer(
          'a',
          'Conv2D',
          { ...conv, activation: { class_name: 'ReLU', config: { max_value: 6 } } },
          reads('normal'),
        ),
        layer('b', 'Conv2D', point, reads('a'), reads('b')),
        ...head('b', 1),
      ],
    );
    const loading = load(config);
    for (const text of [
      "RandomCrop 'crop'",
      "Normalization 'normal': invert true",
      "Conv2D 'a': activation 'relu with max_value 6'",
      "Conv2D 'b': its weights are used 2 times",
    ])
      await expect(loading).rejects.toThrow(text);
  });

  test('weights of no layer', async () => {
    await expect(load(plain, { 'c/bias': [4] })).rejects.toThrow("weight 'c/bias' belongs to none of its layers");
  });

  test('models that lie in each other without end, or call each other again and again', async () => {
    const nested = (depth: number): unknown =>
      depth === 0 ? plain : { class_name: 'Sequential', config: { name: `m${depth}`, layers: [nested(depth - 1)] } };
    await expect(load(nested(40))).rejects.toThrow('more than 16 deep');
    const doubled = (depth: number): ReturnType<typeof functional> =>
      depth === 0
        ? functional('m0', 'x', ['r', 0], [input('x', 8, 8, 3), layer('r', 'ReLU', {}, reads('x'))])
        : functional(`m${depth}`, 'x', ['m', 7], [
            input('x', 8, 8, 3),
            layer('m', 'Functional', doubled(depth - 1).config, reads('x'), ...[0, 1, 2, 3, 4, 5, 6].map((call) => reads(['m', call]))),
          ]); // prettier-ignore
    await expect(load(doubled(10))).rejects.toThrow('more than 20000 layers');
  });
});
