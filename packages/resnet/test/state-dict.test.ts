import { elementCount } from '@skiplane/core';
import { describe, expect, test } from 'vitest';
import { familyWith } from '../src/families/family-with.ts';
import { depthOf, familyOf, type Family } from '../src/families/index.ts';
import { stateDictOutline } from '../src/formats/state-dict.ts';
import { TensorNames } from '../src/formats/tensor-names.ts';
import { torchArchitecture } from '../src/formats/torch-architecture.ts';
import { torchNamings, type TorchNaming } from '../src/formats/torch-naming.ts';
import { inferenceGraph, isLayerGraph, type Model } from '../src/index.ts';
import {
  type Shapes,
  torchvision,
  timmV2,
  pytorchcv,
  transformers,
  valuesOf,
  tensorsOf,
  kuangliuPreAct,
  cifar,
  imageNet,
} from './support/torch-shapes.ts';

const namingLike = (text: string): TorchNaming =>
  torchNamings.find(({ example }) => example.includes(text)) ?? expect.unreachable();

describe('state dictionaries become networks of the families', () => {
  test.each<[string, Family, Shapes]>([
    ['he20', 'he2015', torchvision(cifar(3), 10, { shortcut: null, head: 'linear' })],
    ['he20b', 'he2015b', torchvision(cifar(3), 10, { shortcut: 'shortcut', head: 'linear' })],
    ['resnet18', 'imagenet-v1.5', torchvision(imageNet([2, 2, 2, 2], false), 1000)],
  ])('%s, every parameter and nothing else', (name, family, shapes) => {
    const { model, parameters } = stateDictOutline(tensorsOf(shapes)).read();
    const { imageSize } = familyOf(family).defaults;
    expect(model).toMatchObject({ name, family, imageSize, classes: [...shapes.values()].at(-1)?.[0] });
    const specs = inferenceGraph(model, { batch: 1 }).parameters;
    expect([...parameters.keys()].toSorted()).toEqual(specs.map((spec) => spec.name).toSorted());
    expect(specs.every((spec) => parameters.get(spec.name)?.length === elementCount(spec.shape))).toBe(true);
  });

  test.each<[Family, number, string, Shapes]>([
    ['he2015', 56, 'torchvision', torchvision(cifar(9), 10, { shortcut: null, head: 'linear' })],
    ['imagenet-v1.5', 34, 'torchvision', torchvision(imageNet([3, 4, 6, 3], false), 1000)],
    ['imagenet-v1.5', 50, 'torchvision', torchvision(imageNet([3, 4, 6, 3], true), 1000)],
    ['imagenet-v1.5', 152, 'torchvision', torchvision(imageNet([3, 8, 36, 3], true), 1000)],
    ['imagenet-v1.5', 50, 'transformers', transformers(imageNet([3, 4, 6, 3], true), 1000)],
    ['imagenet-v2', 18, 'resnetv2', timmV2(imageNet([2, 2, 2, 2], false), 1000)],
    ['imagenet-v2', 101, 'resnetv2', timmV2(imageNet([3, 4, 23, 3], true), 1000)],
  ])('%s, depth %i', (family, depth, naming, shapes) => {
    const names = new TensorNames(new Map(tensorsOf(shapes).map((tensor) => [tensor.name, tensor])));
    const { architecture } = torchArchitecture(names, namingLike(naming));
    expect([familyWith(architecture), depthOf(architecture)]).toEqual([family, depth]);
  });

  test.each([
    ['no batch norm', [] as const],
    ["a batch norm, 'bn'", ['bn'] as const],
  ])("kuangliu's PreActResNet, with %s at its end", (_, last) => {
    const { model, parameters } = stateDictOutline(tensorsOf(kuangliuPreAct(cifar(1), 10, last))).read();
    expect(parameters.has('head/bn/mean')).toBe(last.length > 0);
    expect(parameters.has('stem/bn/mean')).toBe(false);
    expect(parameters.get('stage2/block1/bn1/mean')).toEqual(valuesOf('layer2.0.bn1.running_mean', 16));
    expect(stridesOf(model, 'stage2/block1/')).toEqual({ conv1: 2, conv2: 1, projection: 2 });
    const layers = isLayerGraph(model) ? model.layers : [];
    const projection = layers.find(({ name }) => name === 'stage2/block1/projection');
    expect(projection?.inputs).toEqual(['stage2/block1/relu1']);
  });

  test('of timm, bottlenecks at CIFAR width: the same layers', () => {
    const { model, parameters } = stateDictOutline(tensorsOf(timmV2(cifar(1, true), 10))).read();
    // The paper's, and so he11v2's, have the stride in the first convolution.
    expect(model).toMatchObject({ name: 'resnet11', imageSize: [32, 32] });
    expect(parameters.get('head/bn/mean')).toEqual(valuesOf('norm.running_mean', 256));
    expect(stridesOf(model, 'stage2/block1/')).toEqual({ conv1: 1, conv2: 2, conv3: 1, projection: 2 });
  });
});

const stridesOf = (model: Model, prefix: string): Record<string, number> =>
  Object.fromEntries(
    (isLayerGraph(model) ? model.layers : []).flatMap((layer) =>
      layer.kind === 'conv2d' && layer.name.startsWith(prefix)
        ? [[layer.name.slice(prefix.length), layer.attrs.strides[0]] as const]
        : [],
    ),
  );

const oihw = (name: string, [out, inside, size]: readonly [number, number, number]): Float32Array => {
  const values = valuesOf(name, out * inside * size * size);
  return Float32Array.from({ length: values.length }, (_, at) => {
    const [o, i, w, h] = [at % out, Math.floor(at / out) % inside, Math.floor(at / out / inside) % size, Math.floor(at / out / inside / size)]; // prettier-ignore
    return values[((o * inside + i) * size + h) * size + w] ?? Number.NaN;
  });
};

describe('a tensor goes to the parameter of its layer, transposed', () => {
  test("torchvision's", () => {
    const { parameters } = stateDictOutline(tensorsOf(torchvision(cifar(1), 10, { shortcut: 'shortcut' }))).read();
    expect(parameters.get('stem/conv/filter')).toEqual(oihw('conv1.weight', [16, 3, 3]));
    expect(parameters.get('stem/bn/gamma')).toEqual(valuesOf('bn1.weight', 16));
    expect(parameters.get('stage2/block1/conv1/filter')).toEqual(oihw('layer2.0.conv1.weight', [32, 16, 3]));
    expect(parameters.get('stage2/block1/bn2/variance')).toEqual(valuesOf('layer2.0.bn2.running_var', 32));
    expect(parameters.get('stage3/block1/projection/filter')).toEqual(oihw('layer3.0.shortcut.0.weight', [64, 32, 1]));
    expect(parameters.get('stage3/block1/projection-bn/beta')).toEqual(valuesOf('layer3.0.shortcut.1.bias', 64));
    expect(parameters.get('head/dense/bias')).toEqual(valuesOf('fc.bias', 10));
  });

  test("timm's", () => {
    const { parameters } = stateDictOutline(tensorsOf(timmV2(cifar(1), 10))).read();
    expect(parameters.get('stage1/block1/bn1/mean')).toEqual(valuesOf('stages.0.blocks.0.norm1.running_mean', 16));
    expect(parameters.get('stage2/block1/conv2/filter')).toEqual(oihw('stages.1.blocks.0.conv2.weight', [32, 32, 3]));
    expect(parameters.get('stage2/block1/projection/filter')).toEqual(
      oihw('stages.1.blocks.0.downsample.conv.weight', [32, 16, 1]),
    );
    const [first, second] = valuesOf('head.fc.weight', 640).filter((_, i) => i === 0 || i === 64);
    expect([...(parameters.get('head/dense/kernel')?.slice(0, 2) ?? [])]).toEqual([first, second]);
  });

  test("Hugging Face's, which count convolutions from 0", () => {
    const { parameters } = stateDictOutline(tensorsOf(transformers(cifar(1), 10))).read();
    const unit = 'resnet.encoder.stages.1.layers.0';
    expect(parameters.get('stage2/block1/conv1/filter')).toEqual(
      oihw(`${unit}.layer.0.convolution.weight`, [32, 16, 3]),
    );
    expect(parameters.get('stage2/block1/bn2/mean')).toEqual(
      valuesOf(`${unit}.layer.1.normalization.running_mean`, 32),
    );
    expect(parameters.get('stage2/block1/projection-bn/beta')).toEqual(
      valuesOf(`${unit}.shortcut.normalization.bias`, 32),
    );
  });

  test("pytorchcv's, behind a wrapper's prefix", () => {
    const shapes = [...pytorchcv(cifar(1, true), 10)].map(([name, shape]) => [`module.${name}`, shape] as const);
    const { model, parameters } = stateDictOutline(tensorsOf(new Map(shapes))).read();
    expect(stridesOf(model, 'stage3/block1/')).toEqual({ conv1: 1, conv2: 2, conv3: 1, projection: 2 });
    expect(parameters.get('stage2/block1/bn3/beta')).toEqual(
      valuesOf('module.features.stage2.unit1.body.conv3.bn.bias', 32),
    );
    expect(parameters.get('head/bn/gamma')).toEqual(valuesOf('module.features.post_activ.bn.weight', 256));
  });
});

const changed = (change: (shapes: Map<string, readonly number[]>) => void): string => {
  const shapes = new Map(torchvision(cifar(2), 10));
  change(shapes);
  try {
    stateDictOutline(tensorsOf(shapes));
  } catch (error) {
    return String(error);
  }
  return 'none';
};

describe('one error lists all that does not fit', () => {
  test('missing, of another shape, and left over', () => {
    const error = changed((shapes) => {
      shapes.delete('layer1.1.conv1.weight');
      shapes.set('layer1.1.cnv1.weight', [16, 16, 3, 3]);
      shapes.set('layer2.1.conv2.weight', [32, 32, 3, 2]);
      shapes.set('fc.bias', [9]);
    });
    expect(error).toContain("'layer1.1.conv1.weight' is missing; the nearest left over: 'layer1.1.cnv1.weight'");
    expect(error).toContain("'layer2.1.conv2.weight' is [32,32,3,2], but the network needs [32,32,3,3]");
    expect(error).toContain("'fc.bias' is [9], but the network needs [10]");
    expect(error).toContain("'layer1.1.cnv1.weight' [16,16,3,3] is used by nothing");
  });

  test('a whole unit, and one of two projections', () => {
    const error = changed((shapes) => {
      for (const name of shapes.keys()) if (/^layer(?:1\.0|2\.0\.downsample)\./.test(name)) shapes.delete(name);
    });
    expect(error).toContain("'layer1.0.conv1.weight' is missing");
    expect(error).toContain("'layer2.0.downsample.0.weight' is missing");
  });

  test('a unit that is numbered beyond all reason', () => {
    expect(changed((shapes) => shapes.set('layer1.99999.conv1.weight', [16, 16, 3, 3]))).toContain(
      'units are numbered as if there were 100004 of them, but there are',
    );
  });
});
