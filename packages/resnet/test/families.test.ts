import { evaluate, type Op } from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { describe, expect, it } from 'vitest';
import {
  inferenceGraph,
  initialParameters,
  lossGraph,
  modelConfig,
  modelNames,
  modelType,
  NetworkBuilder,
  residualNet,
  summarize,
  type Architecture,
  type Shortcut,
} from '../src/index.ts';
import { signed } from './support/random.ts';

/** Trainable parameters as published: moving statistics are not counted as parameters where these nets come from. */
const published: readonly (readonly [name: string, trainable: number])[] = [
  // He et al. 2015, table 6: 0.27, 0.46, 0.66, 0.85, 1.7 and 19.4 M; counted from its §4.2 for option A.
  ['he20', 269_722],
  ['he32', 464_154],
  ['he44', 658_586],
  ['he56', 853_018],
  ['he110', 1_727_962],
  ['he1202', 19_421_274],
  // pytorchcv: resnet20_cifar10 and resnet56_cifar10.
  ['he20b', 272_474],
  ['he56b', 855_770],
  // He et al. 2016, table 4: 1.7 and 10.2 M; pytorchcv: preresnet164bn_cifar10 and preresnet1001_cifar10.
  ['he164v2', 1_703_258],
  ['he1001v2', 10_327_706],
  // torchvision and timm.
  ['resnet18', 11_689_512],
  ['resnet34', 21_797_672],
  ['resnet50', 25_557_032],
  ['resnet101', 44_549_160],
  ['resnet152', 60_192_808],
  ['imagenet-resnet50v1', 25_557_032],
  ['imagenet-resnet101v1', 44_549_160],
  ['imagenet-resnet152v1', 60_192_808],
];

/** Billions of multiply-adds of an image, as torchvision lists them. */
const work: readonly (readonly [name: string, billions: number])[] = [
  ['resnet18', 1.814],
  ['resnet34', 3.664],
  ['resnet50', 4.089],
  ['resnet101', 7.801],
  ['resnet152', 11.514],
];

const parametersOf = (name: string) => inferenceGraph(modelConfig(name), { batch: 1 }).parameters;

const shapesOf = (name: string, overrides = {}) =>
  new Map(summarize(modelConfig(name, overrides)).layers.map((layer) => [layer.name, layer.outputShape]));

describe('parameter counts', () => {
  it.each(published)('%s has %i trainable parameters', (name, trainable) => {
    expect(summarize(modelConfig(name)).parameters.trainable).toBe(trainable);
  });

  it.each([
    [50, 25_613_800, 25_568_360],
    [101, 44_675_560, 44_577_896],
    [152, 60_380_648, 60_236_904],
  ])("imagenet-resnet%iv2 is Keras's ResNetV2 without its %i biases", (depth, total, trainable) => {
    const { parameters } = summarize(modelConfig(`imagenet-resnet${depth}v2`));
    // Keras has biases on the stem, on projections, and on the last convolution of every bottleneck.
    const biases = parametersOf(`imagenet-resnet${depth}v2`)
      .filter(({ name }) => /(?:stem\/conv|projection|conv3)\/filter$/.test(name))
      .reduce((sum, { shape }) => sum + (shape[3] ?? 0), 0);
    expect(parameters.total + biases).toBe(total);
    expect(parameters.trainable + biases).toBe(trainable);
  });

  it.each([
    [18, 11_687_848],
    [34, 21_796_008],
    [50, 25_549_480],
    [101, 44_541_608],
    [152, 60_185_256],
  ])("imagenet-resnet%iv2 is pytorchcv's preresnet without the batch norm of its stem", (depth, count) => {
    expect(summarize(modelConfig(`imagenet-resnet${depth}v2`)).parameters.trainable + 2 * 64).toBe(count);
  });

  it.each(work)('%s needs %f billion multiply-adds', (name, billions) => {
    expect(summarize(modelConfig(name)).multiplyAdds / 1e9).toBeCloseTo(billions, 3);
  });

  it('of option A are those of the plain net, and so is the work', () => {
    const [he, plain] = [summarize(modelConfig('he20')), summarize(modelConfig('plain20'))];
    const biases = parametersOf('plain20').filter(({ name }) => /conv\d?\/bias$/.test(name));
    const count = biases.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
    expect(he.parameters.total).toBe(plain.parameters.total - count);
    expect(he.multiplyAdds).toBe(plain.multiplyAdds);
  });
});

describe('names', () => {
  it.each([
    ['he20', 'he20', 'he2015', 'He20', 32, 10],
    ['HE56B', 'he56b', 'he2015b', 'He56b', 32, 10],
    ['he164v2', 'he164v2', 'he2016', 'He164v2', 32, 10],
    ['ResNet50', 'resnet50', 'imagenet-v1.5', 'ResNet50', 224, 1000],
    ['imagenet-resnet50', 'resnet50', 'imagenet-v1.5', 'ResNet50', 224, 1000],
    ['resnet50v1.5', 'resnet50', 'imagenet-v1.5', 'ResNet50', 224, 1000],
    ['imagenet-resnet18v1', 'resnet18', 'imagenet-v1.5', 'ResNet18', 224, 1000],
    ['imagenet-resnet50v1', 'imagenet-resnet50v1', 'imagenet-v1', 'ImageNet-ResNet50v1', 224, 1000],
    ['resnetv2_101', 'imagenet-resnet101v2', 'imagenet-v2', 'ImageNet-ResNet101v2', 224, 1000],
    ['resnet50v1', 'resnet50v1', 'v1', 'ResNet50v1', 32, 10],
  ])('%s is %s of family %s', (given, name, family, type, size, classes) => {
    const config = modelConfig(given);
    expect(config).toMatchObject({ name, family, imageSize: [size, size], channels: 3, classes });
    expect(config.batchNormEpsilon).toBe(family === 'v1' ? undefined : 1e-5);
    expect(modelType(config)).toBe(type);
  });

  it('mean one network each, and are names of themselves', () => {
    expect(new Set(modelNames).size).toBe(modelNames.length);
    for (const name of modelNames) expect(modelConfig(name).name).toBe(name);
  });

  it.each([
    ['he21', 'depth 21 of a he2015 net: depth should be 6n+2'],
    ['he165v2', 'the nearest is 164 or 173'],
    ['resnet51', "unknown model 'resnet51'"],
    ['imagenet-resnet20v1', 'imagenet-resnet<depth>v2 with depth 18, 34, 50, 101, 152, for ImageNet'],
  ])('%s is refused', (name, message) => {
    expect(() => modelConfig(name)).toThrow(message);
  });
});

const windowOf = (name: string, label: string) => {
  const { graph } = inferenceGraph(modelConfig(name), { batch: 1 });
  const op = graph.ops.find(
    (candidate): candidate is Op<'conv2d'> => candidate.kind === 'conv2d' && candidate.label === label,
  );
  return op?.attrs.window;
};
const projections = (name: string) =>
  [...shapesOf(name).keys()].filter((layer) => layer.endsWith('/projection')).length;
const strides = (name: string) =>
  ['conv1', 'conv2', 'conv3'].map((conv) => windowOf(name, `stage2/block1/${conv}`)?.strides[0]);
const epsilons = (graph: ReturnType<typeof lossGraph>['graph']) =>
  new Set(graph.ops.flatMap(({ attrs }) => ('epsilon' in attrs ? [attrs.epsilon] : [])));
const sides = (side: number) => ({ top: side, bottom: side, left: side, right: side });

describe('the CIFAR nets of the papers', () => {
  it('have no biases but the last, and option A no parameters in its shortcuts', () => {
    const names = parametersOf('he20').map(({ name }) => name);
    expect(names.filter((name) => name.endsWith('/bias'))).toEqual(['head/dense/bias']);
    expect(names.filter((name) => name.includes('projection'))).toEqual([]);
    expect(names.slice(0, 6)).toEqual([
      'stem/conv/filter',
      'stem/bn/gamma',
      'stem/bn/beta',
      'stem/bn/mean',
      'stem/bn/variance',
      'stage1/block1/conv1/filter',
    ]);
    const shapes = shapesOf('he20');
    expect(shapes.get('stage2/block1/subsample')).toEqual([16, 16, 16]);
    expect(shapes.get('stage2/block1/pad')).toEqual([16, 16, 32]);
    expect(shapes.get('stage3/block3/relu')).toEqual([8, 8, 64]);
    expect([...shapes.keys()].filter((name) => name.endsWith('/pad'))).toHaveLength(2);
  });

  it('pad strided convolutions on all sides', () => {
    expect(windowOf('he20', 'stage2/block1/conv1')).toEqual({ strides: [2, 2], padding: sides(1) });
    expect(windowOf('he20b', 'stage2/block1/projection')).toEqual({ strides: [2, 2], padding: sides(0) });
  });

  it('project where the shape changes by option B, and everywhere by option C', () => {
    expect([projections('he20'), projections('he20b'), projections('he20c')]).toEqual([0, 2, 9]);
  });

  it('halve odd images alike in branch and shortcut', () => {
    expect(shapesOf('he8', { imageSize: [9, 5] }).get('stage3/block1/relu')).toEqual([3, 2, 64]);
  });

  it('of 2016 are 16/32/64 wide inside, and project the activated input', () => {
    const shapes = shapesOf('he164v2');
    expect([1, 2, 3].map((stage) => shapes.get(`stage${stage}/block1/conv1`)?.at(-1))).toEqual([16, 32, 64]);
    expect([1, 2, 3].map((stage) => shapes.get(`stage${stage}/block18/add`)?.at(-1))).toEqual([64, 128, 256]);
    const { graph } = inferenceGraph(modelConfig('he11v2'), { batch: 1 });
    const by = (label: string) => graph.ops.find((op) => op.label === label);
    expect(by('stage2/block1/projection')?.inputs[0]).toBe(by('stage2/block1/relu1')?.outputs[0]);
    expect(shapes.has('stem/bn')).toBe(false);
    expect(shapes.get('head/relu')).toEqual([8, 8, 256]);
  });

  it('an option A shortcut carries every other pixel between channels of zeros', async () => {
    const net = new NetworkBuilder('shortcut', { mode: 'inference' });
    const x = net.build.input('x', { shape: [1, 3, 3, 2], dtype: 'f32' });
    net.build.output('y', net.padChannels(net.subsample(x, 'subsample', [2, 2]), 'pad', 5));
    const pixels = Float32Array.from({ length: 18 }, (_, i) => i + 1);
    const { y } = await evaluate(createReferenceBackend(), net.build.build(), { x: pixels });
    expect([...(y ?? [])]).toEqual([0, 1, 2, 0, 0, 0, 5, 6, 0, 0, 0, 13, 14, 0, 0, 0, 17, 18, 0, 0]);
  });
});

describe('the ImageNet nets', () => {
  it.each([
    ['resnet18', 2, 64, 512],
    ['resnet34', 3, 64, 512],
    ['resnet50', 3, 256, 2048],
    ['imagenet-resnet50v1', 3, 256, 2048],
  ])('%s goes from 224×224 by 112 and 56 to 7', (name, units, first, last) => {
    const shapes = shapesOf(name);
    expect(shapes.get('stem/conv')).toEqual([112, 112, 64]);
    expect(shapes.get('stem/relu')).toEqual([112, 112, 64]);
    expect(shapes.get('stem/pool')).toEqual([56, 56, 64]);
    expect(shapes.get(`stage1/block${units}/relu`)).toEqual([56, 56, first]);
    expect(shapes.get('stage2/block1/relu')).toEqual([28, 28, 2 * first]);
    expect(shapes.get('stage3/block1/relu')).toEqual([14, 14, 4 * first]);
    expect(shapes.get('stage4/block1/relu')).toEqual([7, 7, last]);
    expect(shapes.get('head/pool')).toEqual([1, 1, last]);
    expect(shapes.get('head/dense')).toEqual([1000]);
  });

  it('pad the stem by 3 and its pooling by 1 on all sides', () => {
    expect(windowOf('resnet18', 'stem/conv')).toEqual({ strides: [2, 2], padding: sides(3) });
    const { graph } = inferenceGraph(modelConfig('resnet18'), { batch: 1 });
    const pool = graph.ops.find((op): op is Op<'maxPool2d'> => op.kind === 'maxPool2d');
    expect(pool?.attrs.window).toEqual({ size: [3, 3], strides: [2, 2], padding: sides(1) });
  });

  it('have their stride in the 3×3 convolution in v1.5 and v2, in the first 1×1 in v1', () => {
    expect(strides('resnet50')).toEqual([1, 2, 1]);
    expect(strides('imagenet-resnet50v2')).toEqual([1, 2, 1]);
    expect(strides('imagenet-resnet50v1')).toEqual([2, 1, 1]);
  });

  it('of v2 pool before the first batch norm and end in one', () => {
    const names = [...shapesOf('imagenet-resnet50v2').keys()];
    expect(names.slice(0, 4)).toEqual(['stem/conv', 'stem/pool', 'stage1/block1/bn1', 'stage1/block1/relu1']);
    expect(names.slice(-5)).toEqual(['head/bn', 'head/relu', 'head/pool', 'head/flatten', 'head/dense']);
  });

  it('normalize with their own epsilon, in training too', () => {
    const config = modelConfig('resnet18', { imageSize: [32, 32] });
    expect([...epsilons(lossGraph(config, { batch: 1 }).graph)]).toEqual([1e-5]);
    expect([...epsilons(lossGraph(config, { batch: 1, batchNorm: { epsilon: 0.01 } }).graph)]).toEqual([0.01]);
    expect([...epsilons(inferenceGraph(config, { batch: 1 }).graph)]).toEqual([1e-5]);
  });
});

const architecture = (shortcut: Shortcut): Architecture => ({
  padding: 'same',
  bias: true,
  stem: { filters: 4, kernelSize: 3, strides: 1, pool: false },
  stages: [
    { units: 1, width: 4, strides: 1 },
    { units: 2, width: 6, strides: 2 },
  ],
  branch: [{ kernelSize: 3, expansion: 1, strided: true }],
  order: 'postActivation',
  shortcut,
});

describe("an architecture of one's own", () => {
  it.each(['A', 'B', 'C'] as const)('with shortcuts %s is a network', (shortcut) => {
    const net = new NetworkBuilder('own', { mode: 'training' });
    const x = net.build.input('x', { shape: [2, 8, 8, 3], dtype: 'f32' });
    const logits = residualNet(net, x, architecture(shortcut), { classes: 5 });
    expect(net.build.spec(logits).shape).toEqual([2, 5]);
    expect(net.layers.filter(({ kind }) => kind === 'add')).toHaveLength(3);
  });
});

describe('he20 on an image', () => {
  it('gives finite logits', async () => {
    const config = modelConfig('he20', { imageSize: [8, 8] });
    const { graph } = inferenceGraph(config, { batch: 1 });
    const parameters = Object.fromEntries(initialParameters(config, 1));
    const x = Float32Array.from(signed('x', 8 * 8 * 3));
    const { logits } = await evaluate(createReferenceBackend(), graph, { ...parameters, x });
    expect(logits).toHaveLength(10);
    expect([...(logits ?? [])].every(Number.isFinite)).toBe(true);
  });
});
