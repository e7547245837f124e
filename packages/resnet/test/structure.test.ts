import { GraphBuilder, readersOf, type Op } from '@skiplane/core';
import { describe, expect, it } from 'vitest';
import {
  inferenceGraph,
  modelConfig,
  NetworkBuilder,
  resnetLayer,
  summarize,
  trainingGraph,
  type ResnetLayerOptions,
} from '../src/index.ts';

const layersOf = (name: string, imageSize: readonly [number, number] = [32, 32]) =>
  summarize(modelConfig(name, { imageSize })).layers;

const parameterNames = (name: string) =>
  inferenceGraph(modelConfig(name), { batch: 1 }).parameters.map((spec) => spec.name);

/** Layers that resnetLayer adds. */
const layerNames = (options: ResnetLayerOptions) => {
  const net = new NetworkBuilder('layer', { mode: 'inference' });
  const x = net.build.input('x', { shape: [1, 8, 8, 3], dtype: 'f32' });
  resnetLayer(net, x, 'conv1', options);
  return net.layers.map(({ name }) => name);
};

describe('resnetLayer', () => {
  it.each<[string, ResnetLayerOptions, string[]]>([
    ['by default conv, batch norm, activation', {}, ['conv1', 'bn1', 'relu1']],
    ['conv_first=False turns the order round', { convFirst: false }, ['bn1', 'relu1', 'conv1']],
    ['activation=None leaves it out', { activation: 'none' }, ['conv1', 'bn1']],
    ['batch_normalization=False leaves it out', { batchNormalization: false }, ['conv1', 'relu1']],
    ['both off', { activation: 'none', batchNormalization: false, convFirst: false }, ['conv1']],
  ])('%s', (_what, options, expected) => {
    expect(layerNames(options)).toEqual(expected);
  });

  it('takes filters, kernel size and strides', () => {
    const net = new NetworkBuilder('layer', { mode: 'inference' });
    const x = net.build.input('x', { shape: [2, 9, 8, 3], dtype: 'f32' });
    const y = resnetLayer(net, x, 'conv', { filters: 5, kernelSize: 1, strides: 2 });
    expect(net.build.spec(y).shape).toEqual([2, 5, 4, 5]);
    expect(net.parameters[0]).toMatchObject({ name: 'conv/filter', shape: [1, 1, 3, 5], l2: 1e-4, trainable: true });
  });
});

describe('v1', () => {
  it('names its parameters by stage and block', () => {
    const names = parameterNames('resnet20v1');
    expect(names).toContain('stem/conv/filter');
    expect(names).toContain('stem/bn/variance');
    expect(names).toContain('stage2/block1/conv1/filter');
    expect(names).toContain('stage2/block1/bn2/gamma');
    expect(names).toContain('stage3/block1/projection/bias');
    expect(names.slice(-2)).toEqual(['head/dense/kernel', 'head/dense/bias']);
    expect(names.filter((name) => name.includes('projection'))).toHaveLength(4);
    expect(new Set(names).size).toBe(names.length);
  });

  it('halves the image twice and pools what is left', () => {
    const shapes = new Map(layersOf('resnet20v1').map(({ name, outputShape }) => [name, outputShape]));
    expect(shapes.get('stage1/block3/relu')).toEqual([32, 32, 16]);
    expect(shapes.get('stage2/block1/projection')).toEqual([16, 16, 32]);
    expect(shapes.get('stage3/block3/relu')).toEqual([8, 8, 64]);
    expect(shapes.get('head/pool')).toEqual([1, 1, 64]);
    expect(shapes.get('head/dense')).toEqual([10]);
    expect(layersOf('resnet8v1', [8, 8]).find(({ name }) => name === 'head/pool')?.outputShape).toEqual([1, 1, 64]);
    expect(layersOf('resnet8v1', [9, 5]).find(({ name }) => name === 'stage3/block1/relu')?.outputShape).toEqual([
      3, 2, 64,
    ]);
  });

  it('pads strided convolutions at the bottom and right only', () => {
    const { graph } = inferenceGraph(modelConfig('resnet20v1'), { batch: 1 });
    const windowOf = (label: string) =>
      graph.ops.find((op): op is Op<'conv2d'> => op.kind === 'conv2d' && op.label === label)?.attrs.window;
    expect(windowOf('stage1/block1/conv1')?.padding).toEqual({ top: 1, bottom: 1, left: 1, right: 1 });
    expect(windowOf('stage2/block1/conv1')?.padding).toEqual({ top: 0, bottom: 1, left: 0, right: 1 });
    expect(windowOf('stage2/block1/projection')?.padding).toEqual({ top: 0, bottom: 0, left: 0, right: 0 });
  });

  it('plain nets have neither additions nor projections', () => {
    const kinds = layersOf('plain20').map(({ kind }) => kind);
    expect(kinds).not.toContain('add');
    expect(parameterNames('plain20').some((name) => name.includes('projection'))).toBe(false);
    expect(layersOf('resnet20v1').filter(({ kind }) => kind === 'add')).toHaveLength(9);
    expect(kinds.filter((kind) => kind === 'relu')).toHaveLength(19);
  });
});

describe('v2', () => {
  it('leaves batch norm and activation out before the very first bottleneck only', () => {
    const names = layersOf('resnet29v2').map(({ name }) => name);
    expect(names).not.toContain('stage1/block1/bn1');
    expect(names).toContain('stage1/block1/bn2');
    expect(names).toContain('stage1/block2/bn1');
    expect(names).toContain('stage2/block1/bn1');
  });

  it('projects in the first block of every stage and ends in batch norm and relu', () => {
    const layers = layersOf('resnet29v2');
    expect(layers.filter(({ name }) => name.endsWith('projection')).map(({ outputShape }) => outputShape)).toEqual([
      [32, 32, 64],
      [16, 16, 128],
      [8, 8, 256],
    ]);
    expect(layers.slice(-5).map(({ name }) => name)).toEqual([
      'head/bn',
      'head/relu',
      'head/pool',
      'head/flatten',
      'head/dense',
    ]);
  });
});

describe('training graph', () => {
  const { graph, parameters } = trainingGraph(modelConfig('resnet8v1', { imageSize: [8, 8] }), { batch: 4 });
  const named = new Set(graph.values.flatMap(({ name }) => name ?? []));

  it('has one Adam op for every trainable parameter, and the moments that it needs', () => {
    const trainable = parameters.filter((spec) => spec.trainable);
    const adams = graph.ops.filter((op) => op.kind === 'adam');
    expect(adams.map(({ label }) => label)).toEqual(trainable.map(({ name }) => name));
    for (const { name } of trainable)
      expect(named.has(`optimizer/m/${name}`) && named.has(`optimizer/v/${name}`)).toBe(true);
    expect(named.has('optimizer/m/stem/bn/mean')).toBe(false);
    expect(adams[0]?.attrs).toEqual({ beta1: 0.9, beta2: 0.999, epsilon: 1e-7 });
  });

  it('penalizes convolution filters, projections too, and nothing else', () => {
    const penalized = graph.ops.filter((op) => op.kind === 'l2Penalty').map(({ label }) => label);
    expect(penalized).toEqual(parameters.filter(({ name }) => name.endsWith('/filter')).map(({ name }) => name));
    expect(penalized).toContain('stage2/block1/projection/filter');
    expect(graph.ops.filter((op) => op.kind === 'l2Penalty').every(({ attrs }) => attrs.scale === 1e-4)).toBe(true);
  });

  it('passes the moving variance on', () => {
    const config = modelConfig('resnet8v1', { imageSize: [8, 8] });
    const kinds = (variance?: 'unbiased') =>
      new Set(
        trainingGraph(config, {
          batch: 2,
          ...(variance === undefined ? {} : { batchNorm: { movingVariance: variance } }),
        })
          .graph.ops.filter((op) => op.kind === 'batchNormTraining')
          .map(({ attrs }) => `${attrs.movingVariance} ${attrs.momentum} ${attrs.epsilon}`),
      );
    expect([...kinds()]).toEqual(['biased 0.99 0.001']);
    expect([...kinds('unbiased')]).toEqual(['unbiased 0.99 0.001']);
  });

  it('computes nothing that nobody reads', () => {
    const readers = readersOf(graph);
    const idle = graph.ops.filter(
      (op) => op.kind !== 'adam' && op.kind !== 'assignAdd' && op.outputs.every((id) => readers[id]?.length === 0),
    );
    expect(idle.map(({ kind, label }) => `${kind} ${label}`)).toEqual([]);
  });
});

describe('gates', () => {
  it('can be built from the ops that a network builder passes on: y = H·T + x·(1 − T)', () => {
    const net = new NetworkBuilder('highway', { mode: 'training' });
    const x = net.build.input('x', { shape: [1, 4, 4, 8], dtype: 'f32' });
    const h = net.scope('block1', () => resnetLayer(net, x, 'conv', { filters: 8, batchNormalization: false }));
    const t = net.build.op('sigmoid', [net.conv2d(x, 'gate', { filters: 8, kernelSize: 3, strides: 1 })], {}, 'gate');
    const carry = net.build.op('affine', [t], { scale: -1, offset: 1 }, 'carry');
    const y = net.add(net.build.op('multiply', [h, t], {}), net.build.op('multiply', [x, carry], {}), 'add');
    expect(net.build.spec(y).shape).toEqual([1, 4, 4, 8]);
    expect(net.build).toBeInstanceOf(GraphBuilder);
    expect(net.parameters.map(({ name }) => name)).toEqual([
      'block1/conv/filter',
      'block1/conv/bias',
      'gate/filter',
      'gate/bias',
    ]);
  });
});
