import type { ModelConfig } from '../config.ts';
import { lossScaleNames } from '../graphs/loss-scaling.ts';
import { optimizerNames } from '../graphs/training.ts';
import { parameterSpecs } from '../initial-parameters.ts';
import type { ParameterSpec, Parameters } from '../parameters.ts';
import type { Checkpoint, TrainingState } from './checkpoint.ts';
import { encodeSafetensors, type NamedTensor } from './safetensors.ts';

/** `format` and `version` in the metadata of a checkpoint. */
export const checkpointFormat = 'skiplane-checkpoint';
export const checkpointVersion = '1';

export const meanImageName = 'preprocessing/mean';

/** A tensor of a checkpoint file. */
export interface ExpectedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Every tensor of a checkpoint of a model, besides the training state. */
export function modelTensors(model: ModelConfig, specs: readonly ParameterSpec[]): readonly ExpectedTensor[] {
  return [...specs, { name: meanImageName, shape: [...model.imageSize, model.channels] }];
}

/** Every tensor of a training state. @param lossScaling  whether it has a scaled loss */
export function trainingTensors(specs: readonly ParameterSpec[], lossScaling: boolean): readonly ExpectedTensor[] {
  const moments = specs
    .filter(({ trainable }) => trainable)
    .flatMap(({ name, shape }) => Object.values(optimizerNames(name)).map((moment) => ({ name: moment, shape })));
  const scalars = ['metrics/loss', 'metrics/correct', ...(lossScaling ? Object.values(lossScaleNames) : [])];
  return [...moments, ...scalars.map((name) => ({ name, shape: [] }))];
}

/**
 * A checkpoint as a safetensors file; equal checkpoints give equal bytes.
 *
 * Tensors have the names of the model's graph; the mean image is `preprocessing/mean`. The rest is JSON in the metadata:
 * `model`, `classNames`, `preprocessing`, `training`.
 * @throws {FormatError} when a tensor is missing, or does not have the shape that the model gives it
 */
export function encodeCheckpoint({ model, classNames, preprocessing, parameters, training }: Checkpoint): Uint8Array {
  const specs = parameterSpecs(model);
  const values = new Map(parameters).set(meanImageName, preprocessing.mean);
  const expected = [...modelTensors(model, specs)];
  if (training !== null) {
    expected.push(...trainingTensors(specs, training.settings.lossScaling));
    addTrainingValues(values, training);
  }
  const tensors = new Map<string, NamedTensor>(
    expected.map(({ name, shape }) => [name, { shape, data: values.get(name) ?? new Float32Array(0) }]),
  );
  const metadata: Record<string, string> = {
    format: checkpointFormat,
    version: checkpointVersion,
    model: sortedJson(model),
    classNames: sortedJson(classNames),
    preprocessing: sortedJson({ scale: preprocessing.scale }),
  };
  if (training !== null) metadata['training'] = trainingJson(training);
  return encodeSafetensors({ tensors, metadata });
}

function addTrainingValues(values: Map<string, Float32Array>, { optimizer, metrics }: TrainingState): void {
  const addAll = (moments: Parameters, kind: 'm' | 'v'): void => {
    for (const [name, data] of moments) values.set(optimizerNames(name)[kind], data);
  };
  addAll(optimizer.m, 'm');
  addAll(optimizer.v, 'v');
  if (optimizer.lossScale !== undefined) {
    values.set(lossScaleNames.scale, Float32Array.of(optimizer.lossScale.scale));
    values.set(lossScaleNames.goodSteps, Float32Array.of(optimizer.lossScale.goodSteps));
  }
  values.set('metrics/loss', Float32Array.of(metrics.loss));
  values.set('metrics/correct', Float32Array.of(metrics.correct));
}

/** What is neither a tensor nor a part of one. */
function trainingJson({ settings, step, epochsDone, position, history, best }: TrainingState): string {
  return sortedJson({ settings, step, epochsDone, position, history, best });
}

/** JSON with the keys of every object sorted. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
