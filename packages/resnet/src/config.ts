import { ValueError } from '@skiplane/core';
import { familyNames, familyOf, type Family } from './families/index.ts';

/** Everything that decides a network's shape, and what it computes from its parameters. */
export interface ModelConfig {
  /** Such as `resnet20v1`, `resnet29v2`, `plain20`, `he20`, `resnet50`. */
  readonly name: string;
  readonly family: Family;
  /** Layers with weights on the longest path, such as 6n+2 for v1 and plain, 9n+2 for v2. */
  readonly depth: number;
  readonly imageSize: readonly [height: number, width: number];
  readonly channels: number;
  readonly classes: number;
  /** Of all batch norms; left out where it is Keras's 1e-3. */
  readonly batchNormEpsilon?: number;
}

/** What a name leaves open; the defaults are the family's: 32×32 and 10 classes for CIFAR-10, 224×224 and 1,000 for ImageNet. */
export type ModelOverrides = Partial<Pick<ModelConfig, 'imageSize' | 'channels' | 'classes'>>;

/**
 * The configuration that a name stands for; upper and lower case count as one, so the example's `ResNet20v1` is a name too.
 * @throws {ValueError} when the name, its depth or an override is not allowed
 */
export function modelConfig(name: string, overrides: ModelOverrides = {}): ModelConfig {
  const { family, depth } = parseName(name);
  const { nameOf, checkDepth, defaults } = familyOf(family);
  checkDepth(depth);
  const { batchNormEpsilon } = defaults;
  const config: ModelConfig = {
    name: nameOf(depth),
    family,
    depth,
    imageSize: overrides.imageSize ?? defaults.imageSize,
    channels: overrides.channels ?? defaults.channels,
    classes: overrides.classes ?? defaults.classes,
    ...(batchNormEpsilon !== undefined && { batchNormEpsilon }),
  };
  checkSizes(config);
  return config;
}

function parseName(name: string): Pick<ModelConfig, 'family' | 'depth'> {
  const wanted = name.trim().toLowerCase();
  for (const family of familyNames) {
    for (const pattern of familyOf(family).patterns) {
      const digits = pattern.exec(wanted)?.groups?.['depth'];
      if (digits !== undefined) return { family, depth: Number(digits) };
    }
  }
  throw new ValueError(`unknown model '${name}': a name is ${howNamesAreFormed()}.`, { name });
}

/** The forms of names, by the rule of their depths. */
function howNamesAreFormed(): string {
  const forms = new Map<string, Set<string>>();
  for (const { depthRule, form } of familyNames.map(familyOf))
    forms.set(depthRule, (forms.get(depthRule) ?? new Set()).add(form));
  return [...forms].map(([depthRule, names]) => `${[...names].join(', ')} with depth ${depthRule}`).join('; ');
}

/** Names of the networks that people use, for lists and suggestions; every depth of a family's rule is allowed. */
export const modelNames: readonly string[] = familyNames.flatMap((family) => {
  const { depths, nameOf } = familyOf(family);
  return depths.map(nameOf);
});

/** The name to show, such as the example's model type `ResNet20v1`. */
export function modelType({ family, depth }: Pick<ModelConfig, 'family' | 'depth'>): string {
  return familyOf(family).typeOf(depth);
}

/** Elements of one image. */
export function imageElements({
  imageSize: [height, width],
  channels,
}: Pick<ModelConfig, 'imageSize' | 'channels'>): number {
  return height * width * channels;
}

function checkSizes({ name, imageSize, channels, classes }: ModelConfig): void {
  const sizes = { 'image height': imageSize[0], 'image width': imageSize[1], channels, classes };
  const bad = Object.entries(sizes).filter(([, size]) => !Number.isInteger(size) || size < 1);
  if (bad.length > 0) {
    const values = bad.map(([what, size]) => `${what} ${size}`).join(', ');
    throw new ValueError(`model '${name}' cannot have ${values}: sizes must be whole numbers of 1 or more.`, sizes);
  }
}
