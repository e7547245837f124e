import { ValueError } from '@skiplane/core';
import type { Checkpoint, TrainingState, TrainSettings } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../config.ts';
import { differences, type Difference } from '../recipe/differences.ts';
import { shown } from '../recipe/json.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { dependsOnEpochs } from '../recipe/schedule.ts';

/** What to say about a setting that differs, by its name. */
const labels: Readonly<Record<Exclude<keyof TrainSettings, 'recipe'>, string>> = {
  evaluationBatchSize: 'the batch size of evaluations',
  seed: 'the seed',
  imagesOn: 'where the images are (imagesOn)',
  lossScaling: 'loss scaling, for activations in f16,',
  parts: 'the number of parts of a batch',
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
  for (const { path, present, saved } of recipeDifferences(settings.recipe, training.settings.recipe))
    problems.push(`${path} is ${shown(present)}, but was ${shown(saved)}`);
  for (const key of Object.keys(labels) as (keyof typeof labels)[])
    compare(labels[key], settings[key], training.settings[key]);
  problems.push(...epochProblems(settings.recipe, training));
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

/** Where two recipes differ in what the numbers depend on: all but the epochs, the name and the notes. */
export function recipeDifferences(present: Recipe, saved: Recipe): readonly Difference[] {
  const irrelevant: readonly string[] = ['epochs', 'name', 'notes'] satisfies (keyof Recipe)[];
  return differences(present, saved).filter(({ path }) => !irrelevant.includes(path));
}

/** What forbids another number of epochs. */
function epochProblems({ epochs, learningRate }: Recipe, training: TrainingState): readonly string[] {
  const { epochsDone, end, settings } = training;
  if (epochs < epochsDone) return [`epochs is ${epochs}, but ${epochsDone} are done already`];
  const before = settings.recipe.epochs;
  if (epochs === before) return [];
  if (dependsOnEpochs(learningRate)) {
    return [`epochs is ${epochs}, but was ${before}, and the rates of its ${learningRate.kind} schedule depend on it`];
  }
  const restored = end?.restoredEpoch ?? null;
  return restored === null
    ? []
    : [`epochs is ${epochs}, but training has ended with the weights of epoch ${restored} put back`];
}

function format(value: unknown): string {
  if (Array.isArray(value)) return value.join('×');
  const text = String(value);
  return text.length > 16 ? `${text.slice(0, 12)}…` : text;
}
