import type { AugmentationSettings } from './augmentation.ts';
import type { CallbackSettings } from './callbacks.ts';
import type { BatchNormSettings, L2Settings } from './keras-constants.ts';
import type { OptimizerSettings } from './optimizer.ts';
import type { Schedule } from './schedule.ts';

/** How a model is trained: everything that the result depends on besides model, data and seed. Plain JSON. */
export interface Recipe {
  readonly name: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerSettings;
  readonly learningRate: Schedule;
  readonly l2: L2Settings;
  /** The share of the one-hot labels that is spread over all classes; 0 for none. In the training loss only. */
  readonly labelSmoothing: number;
  readonly batchNorm: BatchNormSettings;
  readonly augmentation: AugmentationSettings;
  readonly validation: ValidationSettings;
  /** In the order in which they are called. */
  readonly callbacks: readonly CallbackSettings[];
  /** What a user should know about it. */
  readonly notes: readonly string[];
}

/**
 * The images that are evaluated after every epoch and choose the best checkpoint:
 * - `test`: the test images, as in the example. A bad method: what is chosen by the test images is not tested by them
 * - `holdout`: training images put aside, drawn by a seed of their own; the test images are then used once, at the end
 * - `given`: images that the caller of `train` gave
 */
export type ValidationSettings = { readonly kind: 'test' } | { readonly kind: 'given' } | HoldoutSettings;

export interface HoldoutSettings {
  readonly kind: 'holdout';
  /** How many of the training images; below 1, which share of them, rounded down. */
  readonly size: number;
  readonly seed: number;
}
