import { ValueError } from '@skiplane/core';

/**
 * - `v1`: He et al. 2015, basic blocks, as the Keras example builds it
 * - `v2`: full pre-activation bottlenecks, with the Keras example's widths (16/64/128 inside)
 * - `plain`: v1 without additions and projections
 */
export type Family = 'v1' | 'v2' | 'plain';

/** Everything that decides a network's shape, and what it computes from its parameters. */
export interface ModelConfig {
  /** Such as `resnet20v1`, `resnet29v2`, `plain20`. */
  readonly name: string;
  readonly family: Family;
  /** Layers with weights on the longest path: 6n+2 for v1 and plain, 9n+2 for v2. */
  readonly depth: number;
  readonly imageSize: readonly [height: number, width: number];
  readonly channels: number;
  readonly classes: number;
  /** Of all batch norms; left out where it is Keras's 1e-3. */
  readonly batchNormEpsilon?: number;
}

/** What a name leaves open; the defaults are CIFAR-10's: 32×32 images of 3 channels, 10 classes. */
export type ModelOverrides = Partial<Pick<ModelConfig, 'imageSize' | 'channels' | 'classes'>>;

const howNamesAreFormed =
  'a name is resnet<depth>v1 or plain<depth> with depth 6n+2 (8, 14, 20, 32, 44, 56, 110, …), ' +
  'or resnet<depth>v2 with depth 9n+2 (11, 20, 29, 56, 110, …)';

/**
 * The configuration that a name stands for; upper and lower case count as one, so the example's `ResNet20v1` is a name too.
 * @throws {ValueError} when the name, its depth or an override is not allowed
 */
export function modelConfig(name: string, overrides: ModelOverrides = {}): ModelConfig {
  const match = /^(?:resnet(?<depth>\d+)v(?<version>[12])|plain(?<plainDepth>\d+))$/.exec(name.trim().toLowerCase());
  const { depth, version, plainDepth } = match?.groups ?? {};
  const family = plainDepth !== undefined ? 'plain' : version === '1' ? 'v1' : 'v2';
  const digits = plainDepth ?? depth;
  if (digits === undefined) {
    throw new ValueError(`unknown model '${name}': ${howNamesAreFormed}.`, { name });
  }
  const config: ModelConfig = {
    name: family === 'plain' ? `plain${Number(digits)}` : `resnet${Number(digits)}${family}`,
    family,
    depth: Number(digits),
    imageSize: overrides.imageSize ?? [32, 32],
    channels: overrides.channels ?? 3,
    classes: overrides.classes ?? 10,
  };
  blocksPerStage(config.family, config.depth);
  checkSizes(config);
  return config;
}

/**
 * The n of depth = 6n+2 (v1, plain) or 9n+2 (v2): blocks in each of the three stages.
 * @throws {ValueError} with the example's guard text when the depth has no such n
 */
export function blocksPerStage(family: Family, depth: number): number {
  const layers = family === 'v2' ? 9 : 6;
  const n = (depth - 2) / layers;
  if (Number.isInteger(n) && n >= 1) return n;
  const rule =
    family === 'v2' ? 'depth should be 9n+2 (eg 56 or 110 in [b])' : 'depth should be 6n+2 (eg 20, 32, 44 in [a])';
  const below = 2 + layers * Math.floor(n);
  const near = [below, below + layers].filter((candidate) => candidate > 2).join(' or ');
  throw new ValueError(`depth ${depth} of a ${family} net: ${rule}, n being 1 or more; the nearest is ${near}.`, {
    family,
    depth,
  });
}

/** The example's model type, such as `ResNet20v1`. */
export function modelType({ family, depth }: ModelConfig): string {
  return family === 'plain' ? `Plain${depth}` : `ResNet${depth}${family}`;
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
