import { lossScaleNames } from '../graphs/loss-scaling.ts';
import { optimizerRule, optimizerStateName } from '../graphs/optimizer.ts';
import { parameterSpecs } from '../initial-parameters.ts';
import type { Preprocessing } from '../data/preprocessing.ts';
import type { Model } from '../model.ts';
import type { ParameterSpec } from '../parameters.ts';
import type { Checkpoint, TrainingState, TrainSettings } from './checkpoint.ts';
import { encodeSafetensors, type NamedTensor } from './safetensors.ts';

/** `format` and `version` in the metadata of a checkpoint. */
export const checkpointFormat = 'skiplane-checkpoint';
export const checkpointVersion = '2';

export const meanImageName = 'preprocessing/mean';
export const stdImageName = 'preprocessing/std';

/** Name of a parameter as it was when EarlyStopping kept it. */
export const keptName = (parameter: string): string => `kept/${parameter}`;

/** A tensor of a checkpoint file. */
export type ExpectedTensor = Pick<ParameterSpec, 'name' | 'shape' | 'dtype'>;

/** Every tensor of a checkpoint of a model, besides the training state. */
export function modelTensors(
  model: Model,
  specs: readonly ParameterSpec[],
  images: PreprocessingImages,
): readonly ExpectedTensor[] {
  const shape = [...model.imageSize, model.channels];
  return [
    ...specs,
    ...(images.mean ? [{ name: meanImageName, shape }] : []),
    ...(images.std ? [{ name: stdImageName, shape }] : []),
  ];
}

/** Which images a checkpoint's preprocessing has. */
interface PreprocessingImages {
  readonly mean: boolean;
  readonly std: boolean;
}

function imagesOf(preprocessing: Preprocessing | null): PreprocessingImages {
  return { mean: preprocessing !== null, std: preprocessing?.std !== undefined };
}

/** Every tensor of a training state. */
export function trainingTensors(
  specs: readonly ParameterSpec[],
  { recipe, lossScaling }: Pick<TrainSettings, 'recipe' | 'lossScaling'>,
): readonly ExpectedTensor[] {
  const { slots } = optimizerRule(recipe.optimizer);
  const state = specs
    .filter(({ trainable }) => trainable)
    .flatMap(({ name, shape }) => slots.map((slot) => ({ name: optimizerStateName(slot, name), shape })));
  const scalars = ['metrics/loss', 'metrics/correct', ...(lossScaling ? Object.values(lossScaleNames) : [])];
  return [...state, ...scalars.map((name) => ({ name, shape: [] }))];
}

/** The tensors of kept weights. */
export function keptTensors(specs: readonly ParameterSpec[]): readonly ExpectedTensor[] {
  return specs.map(({ name, shape }) => ({ name: keptName(name), shape }));
}

/**
 * A checkpoint as a safetensors file; equal checkpoints give equal bytes.
 *
 * Tensors have the names of the model's graph; the mean image is `preprocessing/mean`, the image of standard deviations
 * `preprocessing/std`, both left out where there is none. The rest is JSON in the metadata:
 * `model`, `classNames`, `preprocessing`, `training`.
 * @throws {FormatError} when a tensor is missing, or does not have the shape that the model gives it
 */
export function encodeCheckpoint({ model, classNames, preprocessing, parameters, training }: Checkpoint): Uint8Array {
  const specs = parameterSpecs(model);
  const values = new Map(parameters);
  if (preprocessing !== null) values.set(meanImageName, preprocessing.mean);
  if (preprocessing?.std !== undefined) values.set(stdImageName, preprocessing.std);
  const expected = [...modelTensors(model, specs, imagesOf(preprocessing))];
  if (training !== null) {
    expected.push(...trainingTensors(specs, training.settings));
    addTrainingValues(values, training);
    if (training.keptWeights !== null) {
      expected.push(...keptTensors(specs));
      for (const [name, data] of training.keptWeights) values.set(keptName(name), data);
    }
  }
  const tensors = new Map<string, NamedTensor>(
    expected.map(({ name, shape, dtype }) => [name, { shape, dtype, data: values.get(name) ?? new Float32Array(0) }]),
  );
  const metadata: Record<string, string> = {
    format: checkpointFormat,
    version: checkpointVersion,
    model: sortedJson(model),
    classNames: sortedJson(classNames),
    preprocessing: sortedJson(preprocessing === null ? null : { scale: preprocessing.scale }),
  };
  if (training !== null) metadata['training'] = trainingJson(training);
  return encodeSafetensors({ tensors, metadata });
}

function addTrainingValues(values: Map<string, Float32Array>, { optimizer, lossScale, metrics }: TrainingState): void {
  for (const [slot, state] of Object.entries(optimizer))
    for (const [name, data] of state) values.set(optimizerStateName(slot, name), data);
  if (lossScale !== null) {
    values.set(lossScaleNames.scale, Float32Array.of(lossScale.scale));
    values.set(lossScaleNames.goodSteps, Float32Array.of(lossScale.goodSteps));
  }
  values.set('metrics/loss', Float32Array.of(metrics.loss));
  values.set('metrics/correct', Float32Array.of(metrics.correct));
}

/** What is neither a tensor nor a part of one. */
function trainingJson({ settings, step, epochsDone, position, history, best, callbacks, end }: TrainingState): string {
  return sortedJson({ settings, step, epochsDone, position, history, best, callbacks, end });
}

/** JSON with the keys of every object sorted. @param round  what numbers become (default: they stay) */
export function sortedJson(value: unknown, round: (value: number) => number = (number) => number): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'number') return round(part);
    return part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part;
  });
}
