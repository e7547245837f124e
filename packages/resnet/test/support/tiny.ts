import type { Backend } from '@skiplane/core';
import {
  modelConfig,
  syntheticDataset,
  takeDataset,
  train,
  type Checkpoint,
  type RecipeInput,
  type TrainEvent,
  type TrainOptions,
  type TrainResult,
} from '../../src/index.ts';
import { roundingBackend } from './rounding-backend.ts';

/** The smallest net on 4×4 images: 11 images in batches of 4, so the last step of an epoch has 3. */
export const tinyModel = modelConfig('resnet8v1', { imageSize: [4, 4] });
export const tinyTrain = syntheticDataset({ count: 11, seed: 1, split: 'train', size: 4 });
export const tinyValidation = syntheticDataset({ count: 7, seed: 1, split: 'test', size: 4 });
export const tinySteps = 3;

/** Keras's recipe, in short, with validation images of its own. */
export function tinyOptions(changes: Partial<TrainOptions> = {}, backend: Backend = roundingBackend()): TrainOptions {
  return {
    backend,
    model: tinyModel,
    train: tinyTrain,
    validation: tinyValidation,
    epochs: 2,
    batchSize: 4,
    evaluationBatchSize: 4,
    seed: 1,
    learningRate: 1e-3,
    augment: true,
    saveSeconds: 1e9,
    progressSeconds: 1e9,
    ...changes,
  };
}

export interface FinishedRun {
  readonly events: readonly TrainEvent[];
  readonly checkpoints: readonly Checkpoint[];
  readonly result: TrainResult;
}

/** Runs the generator to its end. */
export async function runAll(
  options: TrainOptions,
  onEvent: (event: TrainEvent) => Promise<void> | void = () => undefined,
): Promise<FinishedRun> {
  const generator = train(options);
  const events: TrainEvent[] = [];
  for (let next = await generator.next(); ; next = await generator.next()) {
    if (next.done) {
      const checkpoints = events.flatMap((event) => (event.type === 'checkpoint' ? [event.checkpoint] : []));
      return { events, checkpoints, result: next.value };
    }
    events.push(next.value);
    await onEvent(next.value);
  }
}

/** The same without validation images of its own: the recipe decides. */
export function tinyOptionsByRecipe(recipe: RecipeInput, changes: Partial<TrainOptions> = {}): TrainOptions {
  const { backend, model, seed } = tinyOptions();
  const own = {
    backend,
    model,
    train: tinyTrain,
    test: tinyValidation,
    seed,
    recipe,
    saveSeconds: 0,
    progressSeconds: 0,
  };
  return { ...own, ...changes };
}

export const first = (data: typeof tinyTrain, count: number) => takeDataset(data, 0, count);
