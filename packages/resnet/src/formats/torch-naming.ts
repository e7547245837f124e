import type { UnitOrder } from '../architecture/architecture.ts';
import type { TensorNames } from './tensor-names.ts';

/** A convolution and the batch norm behind it. */
interface ConvNames {
  readonly conv: string;
  /** Left out where there is none. */
  readonly bn?: string;
}

/** Whether names and shapes are those of a naming, where others have the same stem and units. */
type Fits = (names: Pick<TensorNames, 'has' | 'shape' | 'all'>) => boolean;

/** How a library names the layers of its residual networks. Names in a unit come behind that of the unit and a point. */
export interface TorchNaming {
  /** Where it comes from, and how its names look, for errors. */
  readonly example: string;
  readonly order: UnitOrder;
  readonly stem: ConvNames;
  /** Left out where the stem and the units tell it. */
  readonly fits?: Fits;
  /** Matches names in units; the groups stage, unit and conv are numbers. */
  readonly inUnit: RegExp;
  readonly firstStage: number;
  readonly firstUnit: number;
  readonly firstConv: number;
  readonly unit: (stage: number, unit: number) => string;
  readonly conv: (number: number) => string;
  readonly bn: (number: number) => string;
  /** Of which a network has one kind. */
  readonly projections: readonly ConvNames[];
  /** The batch norm behind the last unit. */
  readonly last?: string;
  /** Of which a network has one. */
  readonly heads: readonly string[];
}

/**
 * @source https://github.com/pytorch/vision/blob/main/torchvision/models/resnet.py
 * @source https://github.com/akamaster/pytorch_resnet_cifar10/blob/master/resnet.py
 */
const torchvision: TorchNaming = {
  example: "torchvision's and timm's (conv1, bn1, layer1.0.conv1, …, fc or linear)",
  order: 'postActivation',
  stem: { conv: 'conv1', bn: 'bn1' },
  inUnit: /^layer(?<stage>\d{1,3})\.(?<unit>\d{1,5})\.(?:conv|bn)(?<conv>[1-9])\./,
  firstStage: 1,
  firstUnit: 0,
  firstConv: 1,
  unit: (stage, unit) => `layer${stage}.${unit}`,
  conv: (number) => `conv${number}`,
  bn: (number) => `bn${number}`,
  projections: [
    { conv: 'downsample.0', bn: 'downsample.1' },
    { conv: 'shortcut.0', bn: 'shortcut.1' },
  ],
  heads: ['fc', 'linear'],
};

/** A batch norm in front of a convolution that changes the channels has those that come in. */
const normalizesFirst: Fits = (names) =>
  names.all().some((name) => {
    const [, unit] = /^(layer\d+\.0)\.conv1\.weight$/.exec(name) ?? [];
    const [out, inside] = names.shape(name) ?? [];
    return unit !== undefined && out !== inside && names.shape(`${unit}.bn1.weight`)?.[0] === inside;
  });

/**
 * The shortcut's convolution takes the activated input. Others that name it `downsample` give it the input itself.
 * @source https://github.com/kuangliu/pytorch-cifar/blob/master/models/preact_resnet.py
 */
const kuangliuPreAct: TorchNaming = {
  ...torchvision,
  example: "kuangliu's PreActResNet (conv1, layer1.0.bn1, layer1.0.conv1, …, layer2.0.shortcut.0, linear)",
  order: 'openPreActivation',
  stem: { conv: 'conv1' },
  fits: (names) => !names.has('bn1.weight') && !names.has('bn.weight') && normalizesFirst(names),
  projections: [{ conv: 'shortcut.0' }],
};

/** The same with a batch norm and a ReLU at the end. */
const endedPreAct: TorchNaming = {
  ...kuangliuPreAct,
  example: 'the same with a last batch norm (bn)',
  order: 'preActivation',
  fits: (names) => !names.has('bn1.weight') && names.has('bn.weight') && normalizesFirst(names),
  last: 'bn',
};

/** @source https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/resnetv2.py */
const timmV2: TorchNaming = {
  example: "timm's resnetv2 (stem.conv, stages.0.blocks.0.norm1, …, norm, head.fc)",
  order: 'preActivation',
  stem: { conv: 'stem.conv' },
  inUnit: /^stages\.(?<stage>\d{1,3})\.blocks\.(?<unit>\d{1,5})\.(?:conv|norm)(?<conv>[1-9])\./,
  firstStage: 0,
  firstUnit: 0,
  firstConv: 1,
  unit: (stage, unit) => `stages.${stage}.blocks.${unit}`,
  conv: (number) => `conv${number}`,
  bn: (number) => `norm${number}`,
  projections: [{ conv: 'downsample.conv' }],
  last: 'norm',
  heads: ['head.fc'],
};

/** @source https://github.com/osmr/imgclsmob/blob/master/pytorch/pytorchcv/models/preresnet_cifar.py */
const pytorchcvPreresnet: TorchNaming = {
  example: "pytorchcv's preresnet for CIFAR (features.init_block, features.stage1.unit1.body.conv1.bn, …, output)",
  order: 'preActivation',
  stem: { conv: 'features.init_block' },
  inUnit: /^features\.stage(?<stage>\d{1,3})\.unit(?<unit>\d{1,5})\.body\.conv(?<conv>[1-9])\./,
  firstStage: 1,
  firstUnit: 1,
  firstConv: 1,
  unit: (stage, unit) => `features.stage${stage}.unit${unit}`,
  conv: (number) => `body.conv${number}.conv`,
  bn: (number) => `body.conv${number}.bn`,
  projections: [{ conv: 'identity_conv' }],
  last: 'features.post_activ.bn',
  heads: ['output'],
};

/** @source https://github.com/osmr/imgclsmob/blob/master/pytorch/pytorchcv/models/resnet_cifar.py */
const pytorchcvCifar: TorchNaming = {
  ...pytorchcvPreresnet,
  example: "pytorchcv's resnet (features.init_block.conv, features.stage1.unit1.body.conv1.conv, …, output)",
  order: 'postActivation',
  stem: { conv: 'features.init_block.conv', bn: 'features.init_block.bn' },
  projections: [{ conv: 'identity_conv.conv', bn: 'identity_conv.bn' }],
};

/** @source https://github.com/osmr/imgclsmob/blob/master/pytorch/pytorchcv/models/resnet.py */
const pytorchcvImageNet: TorchNaming = {
  ...pytorchcvCifar,
  stem: { conv: 'features.init_block.conv.conv', bn: 'features.init_block.conv.bn' },
  // Bottlenecks have their stride in the first convolution (resnet50) or in the second (resnet50b), under the same names.
  fits: (names) => !names.has('features.stage1.unit1.body.conv3.conv.weight'),
};

/** @source https://github.com/huggingface/transformers/blob/main/src/transformers/models/resnet/modeling_resnet.py */
const transformers: TorchNaming = {
  example: "Hugging Face's transformers (resnet.embedder.embedder.convolution, …, classifier.1)",
  order: 'postActivation',
  stem: { conv: 'resnet.embedder.embedder.convolution', bn: 'resnet.embedder.embedder.normalization' },
  inUnit: /^resnet\.encoder\.stages\.(?<stage>\d{1,3})\.layers\.(?<unit>\d{1,5})\.layer\.(?<conv>[0-8])\./,
  firstStage: 0,
  firstUnit: 0,
  firstConv: 0,
  unit: (stage, unit) => `resnet.encoder.stages.${stage}.layers.${unit}`,
  conv: (number) => `layer.${number}.convolution`,
  bn: (number) => `layer.${number}.normalization`,
  projections: [{ conv: 'shortcut.convolution', bn: 'shortcut.normalization' }],
  heads: ['classifier.1'],
};

export const torchNamings: readonly TorchNaming[] = [
  kuangliuPreAct,
  endedPreAct,
  torchvision,
  timmV2,
  pytorchcvPreresnet,
  pytorchcvCifar,
  pytorchcvImageNet,
  transformers,
];
