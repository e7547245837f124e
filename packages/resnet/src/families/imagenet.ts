import { ValueError } from '@skiplane/core';
import { basicBranch, bottleneckBranch, stridedMiddleBranch, type Architecture } from '../architecture/architecture.ts';
import { architectures, imageNet, type FamilyDefinition } from './family.ts';

/** Units of the four stages, by depth. @source He et al. 2015, table 1 */
const unitsByDepth: Readonly<Record<number, readonly number[]>> = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
};
const depths = Object.keys(unitsByDepth).map(Number);
const depthRule = `${depths.join(', ')}, for ImageNet`;
/** Depths of bottlenecks; the others have basic units. */
const bottleneckDepths = depths.filter((depth) => depth >= 50);

type Variant = Pick<Architecture, 'order'> & { readonly bottleneck: Architecture['branch'] };

type Naming = Pick<FamilyDefinition, 'form' | 'depthRule' | 'patterns' | 'nameOf' | 'typeOf' | 'depths'>;

/** 7×7 stem of stride 2, 3×3 max pooling of stride 2, four stages of 64 to 512 filters; padded on all sides alike, no biases. */
function imageNetArchitecture(
  depth: number,
  { depths: allowed }: Naming,
  { order, bottleneck }: Variant,
): Architecture {
  const units = unitsByDepth[depth];
  if (units === undefined || !allowed.includes(depth)) {
    throw new ValueError(`depth ${depth} of an ImageNet net: it must be ${allowed.join(', ')}.`, { depth });
  }
  return {
    padding: 'symmetric',
    bias: false,
    stem: { filters: 64, kernelSize: 7, strides: 2, pool: true },
    stages: units.map((count, stage) => ({ units: count, width: 64 * 2 ** stage, strides: stage === 0 ? 1 : 2 })),
    branch: bottleneckDepths.includes(depth) ? bottleneck : basicBranch,
    order,
    shortcut: 'B',
  };
}

function imageNetFamily(naming: Naming, variant: Variant): FamilyDefinition {
  return architectures({ ...naming, defaults: imageNet }, (depth) => imageNetArchitecture(depth, naming, variant));
}

/** The stride of a bottleneck in its 3×3 convolution, as in torchvision and timm: "v1.5". */
export const imageNetV15 = imageNetFamily(
  {
    form: 'resnet<depth>',
    depthRule,
    // Basic units have one place for the stride, so that v1 and v1.5 are the same net.
    patterns: [/^(?:imagenet-)?resnet(?<depth>18|34|50|101|152)(?:v1\.5)?$/, /^imagenet-resnet(?<depth>18|34)v1$/],
    nameOf: (depth) => `resnet${depth}`,
    typeOf: (depth) => `ResNet${depth}`,
    depths,
  },
  { order: 'postActivation', bottleneck: stridedMiddleBranch },
);

/** The stride of a bottleneck in its first 1×1 convolution, as in the paper and its authors' weights. */
export const imageNetV1 = imageNetFamily(
  {
    form: 'imagenet-resnet<depth>v1',
    depthRule,
    patterns: [/^imagenet-resnet(?<depth>50|101|152)v1$/],
    nameOf: (depth) => `imagenet-resnet${depth}v1`,
    typeOf: (depth) => `ImageNet-ResNet${depth}v1`,
    depths: bottleneckDepths,
  },
  { order: 'postActivation', bottleneck: bottleneckBranch },
);

/**
 * Full pre-activation, as timm's `resnetv2_50` and its kin build it: no biases, the stride in the 3×3 convolution of the
 * first unit of a stage, a projection of the activated input, the stem's pooling before the first batch norm.
 */
export const imageNetV2 = imageNetFamily(
  {
    form: 'imagenet-resnet<depth>v2',
    depthRule,
    patterns: [/^imagenet-resnet(?<depth>18|34|50|101|152)v2$/, /^resnetv2_(?<depth>18|34|50|101|152)$/],
    nameOf: (depth) => `imagenet-resnet${depth}v2`,
    typeOf: (depth) => `ImageNet-ResNet${depth}v2`,
    depths,
  },
  { order: 'preActivation', bottleneck: stridedMiddleBranch },
);
