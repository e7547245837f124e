import { ValueError } from '@skiplane/core';
import type { Checkpoint, TrainingState, TrainSettings } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../config.ts';

/** What to say about a setting that differs, by its name. */
const labels: Readonly<Record<keyof TrainSettings, string>> = {
  epochs: 'epochs',
  batchSize: 'the batch size',
  evaluationBatchSize: 'the batch size of evaluations',
  seed: 'the seed',
  learningRate: 'the learning rate',
  augment: 'augmentation',
  interpolationOrder: 'the interpolation order',
  movingVariance: 'the moving variance',
  imagesOn: 'where the images are (imagesOn)',
  lossScaling: 'loss scaling, for activations in f16,',
  trainData: 'the training data (by SHA-256)',
  validationData: 'the validation data (by SHA-256)',
};

/**
 * The state to go on with, under the present settings.
 * @param steps  of an epoch
 * @throws {ValueError} that lists every option in which checkpoint and settings disagree
 */
export function resumedState(
  checkpoint: Checkpoint,
  model: ModelConfig,
  settings: TrainSettings,
  steps: number,
): TrainingState {
  const { training } = checkpoint;
  if (training === null) {
    throw new ValueError(
      'cannot resume: the checkpoint holds weights only, and no state of training; take one that training has written.',
    );
  }
  const problems: string[] = [];
  const compare = (what: string, present: unknown, saved: unknown): void => {
    if (JSON.stringify(present) !== JSON.stringify(saved))
      problems.push(`${what} is ${format(present)}, but was ${format(saved)}`);
  };
  for (const key of ['name', 'imageSize', 'channels', 'classes'] as const)
    compare(`the model's ${key}`, model[key], checkpoint.model[key]);
  for (const key of Object.keys(labels) as (keyof TrainSettings)[]) {
    if (key !== 'epochs') compare(labels[key], settings[key], training.settings[key]);
  }
  if (settings.epochs < training.epochsDone) {
    problems.push(`epochs is ${settings.epochs}, but ${training.epochsDone} are done already`);
  }
  if (training.position > steps || training.step !== training.epochsDone * steps + training.position) {
    problems.push(
      `an epoch has ${steps} steps, but the checkpoint is at step ${training.position} of epoch ${training.epochsDone + 1} after ${training.step} steps`,
    );
  }
  if (problems.length > 0) {
    throw new ValueError(
      `cannot resume: ${problems.join('; ')}. Resume with the options and data of the first run (epochs may be raised), or start anew in another place.`,
      { problems },
    );
  }
  return training;
}

function format(value: unknown): string {
  if (Array.isArray(value)) return value.join('×');
  const text = String(value);
  return text.length > 16 ? `${text.slice(0, 12)}…` : text;
}
