import { ValueError, type Backend, type CompileOptions, type MovingVariance } from '@skiplane/core';
import type { Checkpoint, TrainSettings } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../config.ts';
import type { ImagesOn } from '../data/batch-source.ts';
import { checkDataset, datasetIdentity, type Dataset } from '../data/dataset.ts';
import type { InterpolationOrder } from '../data/shift.ts';
import { defaultEvaluationBatch } from '../evaluate/evaluate-model.ts';
import type { LearningRate } from '../recipe.ts';

export interface TrainOptions {
  readonly backend: Backend;
  readonly model: ModelConfig;
  readonly train: Dataset;
  /** Evaluated after every epoch; its accuracy decides which checkpoint is the best. */
  readonly validation: Dataset;
  /** Epochs in all, those of a checkpoint included. */
  readonly epochs: number;
  readonly batchSize: number;
  /** An integer from 0 to 2^53 − 1: initial parameters, order of the images and augmentation follow from it. */
  readonly seed: number;
  readonly learningRate: LearningRate;
  readonly augment: boolean;
  /** Interpolation of the augmentation's shifts (default 1). */
  readonly interpolationOrder?: InterpolationOrder;
  /** Which batch variance enters the moving variance (default 'biased', as in Keras 3). */
  readonly movingVariance?: MovingVariance;
  /**
   * Where batches are put together (default 'host'). 'device': all images are copied to the device once, as bytes, and a step
   * sends their numbers only, so that a fast device need not wait for the host.
   */
  readonly imagesOn?: ImagesOn;
  /**
   * Whether the loss is scaled dynamically (default false). Meant for backends that hold activations as f16; in f32 it changes
   * nothing but rounding. A step in which a gradient overflows counts as one whose gradients are zeros.
   */
  readonly lossScaling?: boolean;
  /** Default: 128, or all validation images when they are fewer. */
  readonly evaluationBatchSize?: number;
  /** Where to go on. The other options must be those it was trained with, but for `epochs`, which may be raised. */
  readonly checkpoint?: Checkpoint | null | undefined;
  /** When aborted, the running step is finished, a checkpoint is yielded and training ends. */
  readonly signal?: AbortSignal | undefined;
  /** Seconds between checkpoints within an epoch (default 30; 0 for one after every step). */
  readonly saveSeconds?: number;
  /** Seconds between progress events (default 0.2; 0 for one after every step). */
  readonly progressSeconds?: number;
  readonly compile?: CompileOptions;
}

/** Checks options and resolves defaults and data into what a checkpoint records. @throws {ValueError} listing all that is wrong */
export async function resolveSettings(options: TrainOptions): Promise<TrainSettings> {
  const { model, train, validation, epochs, batchSize, seed, learningRate, augment } = options;
  const settings: Omit<TrainSettings, 'trainData' | 'validationData'> = {
    epochs,
    batchSize,
    evaluationBatchSize: options.evaluationBatchSize ?? Math.min(defaultEvaluationBatch, validation.count),
    seed,
    learningRate,
    augment,
    interpolationOrder: options.interpolationOrder ?? 1,
    movingVariance: options.movingVariance ?? 'biased',
    imagesOn: options.imagesOn ?? 'host',
    lossScaling: options.lossScaling ?? false,
  };
  const problems: string[] = [];
  for (const name of ['epochs', 'batchSize', 'evaluationBatchSize'] as const) {
    if (!Number.isSafeInteger(settings[name]) || settings[name] < 1)
      problems.push(`${name} is ${settings[name]}, but must be a whole number of 1 or more`);
  }
  if (!Number.isSafeInteger(seed) || seed < 0)
    problems.push(`seed is ${seed}, but must be a whole number from 0 to 2^53 - 1`);
  if (learningRate !== 'keras' && !(Number.isFinite(learningRate) && learningRate > 0)) {
    problems.push(`learningRate is ${learningRate}, but must be above 0, or 'keras'`);
  }
  if (settings.imagesOn !== 'host' && settings.imagesOn !== 'device') {
    problems.push(`imagesOn is '${String(settings.imagesOn)}', but must be 'host' or 'device'`);
  }
  for (const name of ['saveSeconds', 'progressSeconds'] as const) {
    const seconds = options[name] ?? 0;
    if (!(seconds >= 0)) problems.push(`${name} is ${seconds}, but must be 0 or more`);
  }
  if (problems.length > 0) throw new ValueError(`cannot train ${model.name}: ${problems.join('; ')}.`, { problems });
  checkDataset(train, model);
  checkDataset(validation, model);
  const [trainData, validationData] = await Promise.all([datasetIdentity(train), datasetIdentity(validation)]);
  return { ...settings, trainData, validationData };
}
