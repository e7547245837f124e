import { elementCount, randomStream, uniforms } from '@skiplane/core';
import type { FileTensor } from '../../src/formats/model-file.ts';

/** Names and shapes of weights as libraries of PyTorch have them, and values for them. */

export type Shapes = ReadonlyMap<string, readonly number[]>;

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
export function torchvision(
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

export function timmV2(sizes: Sizes, classes: number): Shapes {
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

export function pytorchcv(sizes: Sizes, classes: number): Shapes {
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

export function transformers(sizes: Sizes, classes: number): Shapes {
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
export const valuesOf = (name: string, count: number): Float32Array =>
  Float32Array.from(uniforms(randomStream(1, name), count));

export const tensorsOf = (shapes: Shapes): FileTensor[] =>
  [...shapes].map(([name, shape]) => ({
    name,
    shape,
    dtype: 'float32',
    read: () => {
      const count = elementCount(shape);
      return count < 100_000 ? valuesOf(name, count) : new Float32Array(count);
    },
  }));

/** @source https://github.com/kuangliu/pytorch-cifar */
export function kuangliuPreAct(sizes: Sizes, classes: number, last: readonly string[]): Shapes {
  const dict = new Dict().conv('conv1', sizes.stem[0], 3, 3);
  const width = eachUnit(sizes, (stage, unit, convs) => {
    const [inside = 0, out = 0] = [convs[0]?.[1], convs.at(-1)?.[0]];
    convs.forEach(([filters, channels, size], i) => {
      const name = `layer${stage + 1}.${unit}`;
      dict.norm(`${name}.bn${i + 1}`, channels).conv(`${name}.conv${i + 1}`, filters, channels, size);
    });
    if (inside !== out) dict.conv(`layer${stage + 1}.${unit}.shortcut.0`, out, inside, 1);
  });
  for (const name of last) dict.norm(name, width);
  return dict.head('linear', [classes, width]).shapes;
}

export const cifar = (n: number, bottleneck = false): Sizes => ({ stem: [16, 3], units: [n, n, n], bottleneck });
export const imageNet = (units: readonly number[], bottleneck: boolean): Sizes => ({
  stem: [64, 7],
  units,
  bottleneck,
});
