import { evaluate, GraphBuilder, gradients } from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { describe, expect, it } from 'vitest';
import {
  batchBuffers,
  BatchPreparer,
  createPreprocessing,
  inferenceGraph,
  initialParameters,
  labNames,
  labOf,
  labs,
  LayerProbe,
  lossGraph,
  modelConfig,
  netsOf,
  summarize,
  syntheticDataset,
} from '../src/index.ts';
import { perturbedParameters, signed } from './support/random.ts';

const small = (name: string) => modelConfig(name, { imageSize: [8, 8] });

/** Logits of one image, with the parameters of `parameters` and what only `name` has set to `rest`. */
async function logits(name: string, parameters: string, rest = 0): Promise<number[]> {
  const known = perturbedParameters(small(parameters));
  const own = [...initialParameters(small(name), 5)];
  const bound = own.map(([key, data]): [string, Float32Array] => [key, known.get(key) ?? data.fill(rest)]);
  const { graph } = inferenceGraph(small(name), { batch: 1 });
  const x = Float32Array.from(signed('image', 8 * 8 * 3));
  return [...((await evaluate(createReferenceBackend(), graph, { ...Object.fromEntries(bound), x })).logits ?? [])];
}

/** Kinds of the layers of the second unit, in order. */
const unit = (name: string) =>
  summarize(modelConfig(name))
    .layers.filter((layer) => layer.name.startsWith('stage1/block2/'))
    .map(({ kind }) => kind)
    .join(' ');

function expectClose(a: readonly number[], b: readonly number[]): void {
  a.forEach((value, i) => expect(value).toBeCloseTo(b[i] ?? Number.NaN, 5));
}

describe('variants', () => {
  it.each([
    ['he20', 'conv2d batchNorm relu conv2d batchNorm add relu'],
    ['he20-normalized-addition', 'conv2d batchNorm relu conv2d add batchNorm relu'],
    ['he20-activated-branch', 'conv2d batchNorm relu conv2d batchNorm relu add'],
    ['he20-relu-pre-activation', 'relu conv2d batchNorm relu conv2d batchNorm add'],
    ['he20-pre-activation', 'batchNorm relu conv2d batchNorm relu conv2d add'],
    ['he20-plain', 'conv2d batchNorm relu conv2d batchNorm relu'],
    ['he20-half-both', 'conv2d batchNorm relu conv2d batchNorm scale scale add relu'],
    ['he20-dropout-shortcut', 'conv2d batchNorm relu conv2d batchNorm dropout add relu'],
    ['highway11', 'conv2d relu conv2d sigmoid complement multiply multiply add'],
    ['highway11-plain', 'conv2d relu'],
  ])('a unit of %s is %s', (name, kinds) => {
    expect(unit(name)).toBe(kinds);
  });

  it('gates that are shut leave the net that they were put into, gates that are open the plain one', async () => {
    // Of what only the gated net has, the filters and biases of its gates, all is −30 here, and images are made to be positive.
    const gated = small('he8-shortcut-gate');
    const gates = inferenceGraph(gated, { batch: 1 }).parameters.filter(({ name }) => name.includes('/gate/'));
    expect(gates.filter(({ name }) => name.endsWith('bias')).map(({ initializer }) => initializer)).toEqual(
      Array.from({ length: 3 }, () => ({ kind: 'constant', value: -6 })),
    );
    expectClose(await logits('he8-shortcut-gate', 'he8', -30), await logits('he8', 'he8'));
    expectClose(await logits('he8-exclusive-gate', 'he8', 30), await logits('he8-plain', 'he8'));
  });

  it('highway layers begin at a bias of −2, and their stages with a plain layer', () => {
    const biases = inferenceGraph(modelConfig('highway20'), { batch: 1 }).parameters.filter(({ name }) =>
      name.endsWith('gate/bias'),
    );
    expect(biases.map(({ name }) => name.slice(0, 13))).toHaveLength(18 - 2);
    expect(biases.every(({ initializer }) => initializer.kind === 'constant' && initializer.value === -2)).toBe(true);
    expect(() => modelConfig('highway19')).toThrow('must be 3n+2');
  });

  it('are the nets of the labs', () => {
    for (const name of labNames) {
      for (const { model } of netsOf(labs[name])) expect(modelConfig(model).name).toBe(model);
    }
    const deep = labOf('shortcuts', 110);
    expect(deep.title).toContain('110 layers');
    expect(netsOf(deep).map(({ model }) => modelConfig(model).name)).toEqual(
      netsOf(labs.shortcuts).map(({ model }) => model.replace('he56', 'he110')),
    );
    expect(() => labOf('highway', 20)).toThrow('only shortcuts are of a depth of choice');
  });
});

describe('LayerProbe', () => {
  it('measures every convolution of the main path, and leaves what it is shown as it is', async () => {
    const data = syntheticDataset({ count: 4, seed: 1, split: 'train', size: 8 });
    const model = modelConfig('he8', { imageSize: [8, 8] });
    const buffers = batchBuffers(data, 4);
    new BatchPreparer(data, createPreprocessing(data)).prepare(null, 0, 4, buffers, null);
    const parameters = initialParameters(model, 1);
    using probe = await LayerProbe.compile(createReferenceBackend(), model, { batch: 4 });
    const first = await probe.measure(parameters, buffers);
    expect(first.map(({ layer }) => layer)).toEqual([
      'stem/conv',
      ...[1, 2, 3].flatMap((stage) => [1, 2].map((conv) => `stage${stage}/block1/conv${conv}`)),
    ]);
    // Batch norms begin with gamma 1: what they give has standard deviation √(variance/(variance + ε)).
    for (const { response } of first) expect(response).toBeCloseTo(1, 3);
    expect(first.every(({ gradientNorm }) => gradientNorm > 0)).toBe(true);
    const gamma = parameters.get('stage2/block1/bn1/gamma')?.fill(0.5);
    expect(gamma).toHaveLength(32);
    const second = await probe.measure(parameters, buffers);
    expect(second[3]?.response).toBeCloseTo(0.5, 3);
    expect(second[2]).toEqual(first[2] && { ...first[2], gradientNorm: second[2]?.gradientNorm });
  });

  it('gives the norms of the gradients of the cross-entropy alone', async () => {
    const data = syntheticDataset({ count: 2, seed: 1, split: 'train', size: 8 });
    const model = modelConfig('highway5', { imageSize: [8, 8] });
    const buffers = batchBuffers(data, 2);
    new BatchPreparer(data, createPreprocessing(data)).prepare(null, 0, 2, buffers, null);
    const parameters = initialParameters(model, 1);
    using probe = await LayerProbe.compile(createReferenceBackend(), model, { batch: 2 });
    const [, , second] = await probe.measure(parameters, buffers);
    const { graph, loss } = lossGraph(model, { batch: 2, l2: { filters: 0, dense: 0 } });
    const filter = graph.values.find(({ name }) => name === 'stage2/block1/conv1/filter');
    const backward = gradients(graph, loss, [filter?.id ?? -1]);
    const build = new GraphBuilder('gradient', backward.graph);
    build.output('gradient', backward.gradients[0] ?? -1);
    const inputs = { ...Object.fromEntries(parameters), x: buffers.images, labels: buffers.labels };
    const { gradient } = await evaluate(createReferenceBackend(), build.build(), inputs);
    expect(second?.layer).toBe('stage2/block1/conv1');
    expect(second?.gradientNorm).toBeCloseTo(Math.hypot(...(gradient ?? [])), 6);
  });
});
