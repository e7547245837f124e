import type { ValueId } from '@skiplane/core';
import type { Architecture } from '../architecture/architecture.ts';
import { residualNet } from '../architecture/residual-net.ts';
import type { NetworkBuilder } from '../network-builder.ts';
import type { NetOptions } from '../v1.ts';

/** What a family's networks are made for. */
export interface FamilyDefaults {
  readonly imageSize: readonly [height: number, width: number];
  readonly channels: number;
  readonly classes: number;
  /** Of all batch norms; left out where it is Keras's 1e-3. */
  readonly batchNormEpsilon?: number;
}

/** Networks that differ in depth alone: their names, what they are for, and their layers. */
export interface FamilyDefinition {
  /** The form of its names, such as `resnet<depth>v1`, for the error about a name that no family has. */
  readonly form: string;
  /** Which depths there are, for the same. */
  readonly depthRule: string;
  /** Match its names in lower case; the group `depth` is the number of layers with weights on the longest path. */
  readonly patterns: readonly RegExp[];
  /** The one name that a network goes by, whatever others the patterns allow. */
  readonly nameOf: (depth: number) => string;
  /** The name to show, such as `ResNet20v1`. */
  readonly typeOf: (depth: number) => string;
  /** The depths that people use, to be suggested for misspelt names. */
  readonly depths: readonly number[];
  readonly defaults: FamilyDefaults;
  /** @throws {ValueError} when the family has no network of this depth */
  readonly checkDepth: (depth: number) => void;
  /** The networks as data; left out where they are built otherwise. @throws {ValueError} like `checkDepth` */
  readonly architecture?: (depth: number) => Architecture;
  /** Adds the layers. @shape x [batch, height, width, channels] @shape returns logits [batch, classes] */
  readonly build: (net: NetworkBuilder, x: ValueId, options: NetOptions) => ValueId;
}

/** A family whose networks are architectures. */
export function architectures(
  about: Omit<FamilyDefinition, 'architecture' | 'build' | 'checkDepth'>,
  architecture: (depth: number) => Architecture,
): FamilyDefinition {
  return {
    ...about,
    architecture,
    checkDepth: (depth) => void architecture(depth),
    build: (net, x, options) => residualNet(net, x, architecture(options.depth), options),
  };
}

/** CIFAR-10's. */
export const cifar10: FamilyDefaults = { imageSize: [32, 32], channels: 3, classes: 10 };

/** ImageNet's (ILSVRC 2012), with the batch-norm epsilon of Torch, in which these networks were published. */
export const imageNet: FamilyDefaults = { imageSize: [224, 224], channels: 3, classes: 1000, batchNormEpsilon: 1e-5 };

/** Depth rules of nets of three stages: of two layers a block, and of three. */
export const basicDepths = '6n+2 (20, 32, 44, 56, 110, …)';
export const bottleneckDepths = '9n+2 (29, 56, 110, 164, …)';
