import { FormatError } from '@skiplane/core';
import { inputName } from '../layer-graph/layer-graph.ts';
import type { FileTensor, ImportedNetwork } from './model-file.ts';
import { NetworkAssembler, type LaidOut } from './network-assembler.ts';
import { TensorNames } from './tensor-names.ts';
import { filterFromOihw, kernelFromRows } from './transpose.ts';

/** Batch norms of PyTorch, unless they are told otherwise; weights do not say. */
const epsilon = 1e-5;

/** What wrappers put in front of every name. */
const prefixes = ['module.', '_orig_mod.', 'model.', 'net.', 'backbone.', 'resnet.'];

/**
 * The residual network whose weights have PyTorch's usual names: a stem `conv1`, `bn1`, blocks `layer1.0.conv1`, …, and a
 * head `fc` or `linear`. The names give the depth, the shapes the widths; a shortcut that changes the shape is a projection
 * (`downsample`, `shortcut`) where it has weights, else He's option A: every other pixel, and channels of zeros on both sides.
 * A stem of 3×3 is one for 32×32 images, one of 7×7 for 224×224, with a pool behind it. A block of three convolutions
 * strides in the second, as torchvision's do.
 *
 * @throws {FormatError} when the names are others, or with all tensors that are missing, left over or of the wrong shape
 * @source https://github.com/pytorch/vision/blob/main/torchvision/models/resnet.py
 * @source https://github.com/akamaster/pytorch_resnet_cifar10/blob/master/resnet.py
 */
export function stateDictNetwork(tensors: readonly FileTensor[]): ImportedNetwork {
  const names = new TensorNames(withoutPrefix(tensors.filter(({ name }) => !name.endsWith('num_batches_tracked'))));
  const blocks = blocksOf(tensors);
  if (!names.has('conv1.weight') || blocks.length === 0) {
    const some = tensors.slice(0, 8).map(({ name }) => name);
    throw new FormatError(
      `these weights have no graph with them, and their names are of no known family: ${some.join(', ')}${tensors.length > 8 ? ', …' : ''}. ` +
        "Known are residual networks with PyTorch's names (conv1, bn1, layer1.0.conv1, …, fc or linear). Export others as ONNX, which says what it computes.",
    );
  }
  return new StateDictReader(names, blocks).network();
}

function withoutPrefix(tensors: readonly FileTensor[]): ReadonlyMap<string, FileTensor> {
  const all = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  for (let prefix = prefixOf(all); prefix !== undefined; prefix = prefixOf(all)) {
    const { length } = prefix;
    const stripped = [...all].map(([name, tensor]) => [name.slice(length), tensor] as const);
    all.clear();
    for (const [name, tensor] of stripped) all.set(name, { ...tensor, name });
  }
  return all;
}

function prefixOf(all: ReadonlyMap<string, FileTensor>): string | undefined {
  return all.size === 0
    ? undefined
    : prefixes.find((prefix) => [...all.keys()].every((name) => name.startsWith(prefix)));
}

interface Block {
  readonly stage: number;
  readonly name: string;
  /** 2 in a basic block, 3 in a bottleneck. */
  readonly convs: number;
}

function blocksOf(tensors: readonly FileTensor[]): readonly Block[] {
  const convs = new Map<string, number>();
  for (const { name } of tensors) {
    // A batch norm counts, too: a convolution may be missing.
    const { block, index } =
      /(?:^|\.)(?<block>layer\d{1,3}\.\d{1,5})\.(?:conv|bn)(?<index>[1-3])\./.exec(name)?.groups ?? {};
    if (block !== undefined) convs.set(block, Math.max(convs.get(block) ?? 0, Number(index)));
  }
  return [...convs]
    .map(([name, count]) => ({ name, convs: count, numbers: name.slice('layer'.length).split('.').map(Number) }))
    .toSorted((a, b) => (a.numbers[0] ?? 0) - (b.numbers[0] ?? 0) || (a.numbers[1] ?? 0) - (b.numbers[1] ?? 0))
    .map((block) => ({ name: block.name, convs: block.convs, stage: block.numbers[0] ?? 0 }));
}

class StateDictReader {
  readonly #names: TensorNames;
  readonly #blocks: readonly Block[];
  readonly #net: NetworkAssembler;
  readonly #stemSize: number;

  constructor(names: TensorNames, blocks: readonly Block[]) {
    this.#names = names;
    this.#blocks = blocks;
    const stem = names.take('conv1.weight');
    const [, channels = 3, stemSize = 3] = stem?.shape ?? [];
    this.#stemSize = stemSize;
    const size = stemSize >= 7 ? 224 : 32;
    const layers = blocks.reduce((count, { convs }) => count + convs, 2);
    this.#net = new NetworkAssembler(`resnet${layers}`, [size, size, channels]);
  }

  network(): ImportedNetwork {
    const large = this.#stemSize >= 7;
    let y = this.#convNorm(inputName, 'conv1', 'bn1', large ? 2 : 1);
    y = this.#net.add('relu', 'relu', [y], {});
    if (large) {
      const padding = { top: 1, bottom: 1, left: 1, right: 1 };
      y = this.#net.add('maxPool', 'maxpool', [y], { size: [3, 3], strides: [2, 2], padding });
    }
    let stage = this.#blocks[0]?.stage;
    for (const block of this.#blocks) {
      const strides = block.stage !== stage ? 2 : 1;
      stage = block.stage;
      y = this.#block(y, block, strides);
    }
    y = this.#net.add('globalAveragePool', 'avgpool', [y], {});
    y = this.#net.add('flatten', 'flatten', [y], {});
    y = this.#dense(y, this.#names.has('linear.weight') ? 'linear' : 'fc');
    const problems = this.#names.problems();
    for (const problem of problems) this.#net.problem(problem);
    return this.#net.finish(y);
  }

  #block(x: string, { name, convs }: Block, strides: number): string {
    const striding = convs === 3 ? 2 : 1;
    let y = x;
    for (let i = 1; i <= convs; i++) {
      y = this.#convNorm(y, `${name}.conv${i}`, `${name}.bn${i}`, i === striding ? strides : 1);
      if (i < convs) y = this.#net.add('relu', `${name}.relu${i}`, [y], {});
    }
    const sum = this.#net.add('add', `${name}.add`, [this.#shortcut(x, name, strides, this.#channels(y)), y], {});
    return this.#net.add('relu', `${name}.relu${convs}`, [sum], {});
  }

  #shortcut(x: string, block: string, strides: number, channels: number): string {
    const projection = [`${block}.downsample`, `${block}.shortcut`].find((name) => this.#names.has(`${name}.0.weight`));
    if (projection !== undefined) return this.#convNorm(x, `${projection}.0`, `${projection}.1`, strides);
    const missing = channels - this.#channels(x);
    if (strides === 1 && missing === 0) return x;
    const before = Math.floor(Math.max(missing, 0) / 2);
    const taken = this.#net.add('subsample', `${block}.shortcut`, [x], { strides: [strides, strides] });
    return this.#net.add('padChannels', `${block}.zeros`, [taken], { before, after: Math.max(missing, 0) - before });
  }

  /** A convolution, padded on both sides, and the batch norm behind it. */
  #convNorm(x: string, conv: string, norm: string, strides: number): string {
    const weight = this.#laidOut(`${conv}.weight`);
    const [filters = this.#channels(x), , height = 3, width = 3] = weight?.shape ?? [];
    const bias = this.#names.has(`${conv}.bias`);
    const [vertical, horizontal] = [Math.floor(height / 2), Math.floor(width / 2)];
    const padding = { top: vertical, bottom: vertical, left: horizontal, right: horizontal };
    const y = this.#net.add(
      'conv2d',
      conv,
      [x],
      { filters, kernelSize: [height, width], strides: [strides, strides], padding, bias },
      {
        filter: weight?.shape.length === 4 ? filterFromOihw(weight) : weight,
        ...(bias && { bias: this.#laidOut(`${conv}.bias`) }),
      },
    );
    const parameters = {
      gamma: this.#laidOut(`${norm}.weight`),
      beta: this.#laidOut(`${norm}.bias`),
      mean: this.#laidOut(`${norm}.running_mean`),
      variance: this.#laidOut(`${norm}.running_var`),
    };
    return this.#net.add('batchNorm', norm, [y], { epsilon }, parameters);
  }

  #dense(x: string, name: string): string {
    const weight = this.#laidOut(`${name}.weight`);
    const [units = 1] = weight?.shape ?? [];
    const bias = this.#names.has(`${name}.bias`);
    return this.#net.add(
      'dense',
      name,
      [x],
      { units, bias },
      {
        kernel: weight?.shape.length === 2 ? kernelFromRows(weight) : weight,
        ...(bias && { bias: this.#laidOut(`${name}.bias`) }),
      },
    );
  }

  #laidOut(name: string): LaidOut | undefined {
    const tensor = this.#names.take(name);
    return tensor === undefined ? undefined : { shape: tensor.shape, data: tensor.read() };
  }

  #channels(layer: string): number {
    return this.#net.shape(layer).at(-1) ?? 0;
  }
}
