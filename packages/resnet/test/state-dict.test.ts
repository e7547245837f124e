import { elementCount, randomStream, uniforms } from '@skiplane/core';
import { describe, expect, test } from 'vitest';
import { depthOf, familyOf, familyWith, type Family } from '../src/families/index.ts';
import type { FileTensor } from '../src/formats/model-file.ts';
import { stateDictOutline } from '../src/formats/state-dict.ts';
import { TensorNames } from '../src/formats/tensor-names.ts';
import { torchArchitecture } from '../src/formats/torch-architecture.ts';
import { torchNamings, type TorchNaming } from '../src/formats/torch-naming.ts';
import { inferenceGraph, isLayerGraph, type Model } from '../src/index.ts';

type Shapes = ReadonlyMap<string, readonly number[]>;

/** Collects names and shapes, of convolutions as [out, in, height, width]. */
class Dict {
  readonly shapes = new Map<string, readonly number[]>();

  conv(name: string, out: number, inside: number, size: number): this {
    this.shapes.set(`${name}.weight`, [out, inside, size, size]);
    return this;
  }

  norm(name: string, channels: number): this {
    for (const part of ['weight', 'bias', 'running_mean', 'running_var'])
      this.shapes.set(`${name}.${part}`, [channels]);
    this.shapes.set(`${name}.num_batches_tracked`, []);
    return this;
  }

  head(name: string, shape: readonly number[]): this {
    this.shapes.set(`${name}.weight`, shape).set(`${name}.bias`, shape.slice(0, 1));
    return this;
  }
}

interface Sizes {
  readonly stem: readonly [filters: number, size: number];
  readonly units: readonly number[];
  readonly bottleneck: boolean;
}

/** Filters and kernel sizes of a unit's convolutions. */
const branchOf = (bottleneck: boolean, width: number): readonly (readonly [out: number, size: number])[] =>
  bottleneck ? [[width, 1], [width, 3], [4 * width, 1]] : [[width, 3], [width, 3]]; // prettier-ignore

/** `add` is given every unit's stage and number, its convolutions as [out, in, size], and what it takes and gives. */
function eachUnit(
  { stem, units, bottleneck }: Sizes,
  add: (stage: number, unit: number, convs: readonly (readonly [number, number, number])[]) => void,
): number {
  let [inside] = stem;
  for (const [stage, count] of units.entries()) {
    for (let unit = 0; unit < count; unit++) {
      let channels = inside;
      const convs = branchOf(bottleneck, stem[0] * 2 ** stage).map(([out, size]) => {
        const conv = [out, channels, size] as const;
        channels = out;
        return conv;
      });
      add(stage, unit, convs);
      inside = channels;
    }
  }
  return inside;
}

/** As torchvision writes them; `shortcut` names the projection, and null leaves it out: option A. */
function torchvision(
  sizes: Sizes,
  classes: number,
  { shortcut = 'downsample', head = 'fc' }: { shortcut?: string | null; head?: string } = {},
): Shapes {
  const dict = new Dict().conv('conv1', sizes.stem[0], 3, sizes.stem[1]).norm('bn1', sizes.stem[0]);
  const last = eachUnit(sizes, (stage, unit, convs) => {
    const name = `layer${stage + 1}.${unit}`;
    convs.forEach(([out, inside, size], i) =>
      dict.conv(`${name}.conv${i + 1}`, out, inside, size).norm(`${name}.bn${i + 1}`, out),
    );
    const [inside, out] = [convs[0]?.[1] ?? 0, convs.at(-1)?.[0] ?? 0];
    if (shortcut !== null && inside !== out)
      dict.conv(`${name}.${shortcut}.0`, out, inside, 1).norm(`${name}.${shortcut}.1`, out);
  });
  return dict.head(head, [classes, last]).shapes;
}

function timmV2(sizes: Sizes, classes: number): Shapes {
  const dict = new Dict().conv('stem.conv', sizes.stem[0], 3, sizes.stem[1]);
  const last = eachUnit(sizes, (stage, unit, convs) => {
    const name = `stages.${stage}.blocks.${unit}`;
    const [inside, out] = [convs[0]?.[1] ?? 0, convs.at(-1)?.[0] ?? 0];
    if (inside !== out) dict.conv(`${name}.downsample.conv`, out, inside, 1);
    convs.forEach(([filters, channels, size], i) =>
      dict.norm(`${name}.norm${i + 1}`, channels).conv(`${name}.conv${i + 1}`, filters, channels, size),
    );
  });
  return dict.norm('norm', last).head('head.fc', [classes, last, 1, 1]).shapes;
}

function pytorchcv(sizes: Sizes, classes: number): Shapes {
  const dict = new Dict().conv('features.init_block', sizes.stem[0], 3, sizes.stem[1]);
  const last = eachUnit(sizes, (stage, unit, convs) => {
    const name = `features.stage${stage + 1}.unit${unit + 1}`;
    convs.forEach(([filters, channels, size], i) =>
      dict
        .norm(`${name}.body.conv${i + 1}.bn`, channels)
        .conv(`${name}.body.conv${i + 1}.conv`, filters, channels, size),
    );
    const [inside, out] = [convs[0]?.[1] ?? 0, convs.at(-1)?.[0] ?? 0];
    if (inside !== out) dict.conv(`${name}.identity_conv`, out, inside, 1);
  });
  return dict.norm('features.post_activ.bn', last).head('output', [classes, last]).shapes;
}

function transformers(sizes: Sizes, classes: number): Shapes {
  const embedder = 'resnet.embedder.embedder';
  const dict = new Dict().conv(`${embedder}.convolution`, sizes.stem[0], 3, sizes.stem[1]);
  dict.norm(`${embedder}.normalization`, sizes.stem[0]);
  const last = eachUnit(sizes, (stage, unit, convs) => {
    const name = `resnet.encoder.stages.${stage}.layers.${unit}`;
    const [inside, out] = [convs[0]?.[1] ?? 0, convs.at(-1)?.[0] ?? 0];
    const both = (layer: string, filters: number, channels: number, size: number): Dict =>
      dict
        .conv(`${name}.${layer}.convolution`, filters, channels, size)
        .norm(`${name}.${layer}.normalization`, filters);
    if (inside !== out) both('shortcut', out, inside, 1);
    convs.forEach(([filters, channels, size], i) => both(`layer.${i}`, filters, channels, size));
  });
  return dict.head('classifier.1', [classes, last]).shapes;
}

/** Random values, which are those of a name alone. */
const valuesOf = (name: string, count: number): Float32Array =>
  Float32Array.from(uniforms(randomStream(1, name), count));

const tensorsOf = (shapes: Shapes): FileTensor[] =>
  [...shapes].map(([name, shape]) => ({
    name,
    shape,
    dtype: 'float32',
    read: () => {
      const count = elementCount(shape);
      return count < 100_000 ? valuesOf(name, count) : new Float32Array(count);
    },
  }));

const cifar = (n: number, bottleneck = false): Sizes => ({ stem: [16, 3], units: [n, n, n], bottleneck });
const imageNet = (units: readonly number[], bottleneck: boolean): Sizes => ({ stem: [64, 7], units, bottleneck });

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
