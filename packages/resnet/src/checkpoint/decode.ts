import { FormatError, formatShape, sameShape, SkiplaneError, ValueError } from '@skiplane/core';
import * as v from 'valibot';
import { allFinite } from '../all-finite.ts';
import { modelConfig, type ModelConfig } from '../config.ts';
import { layerGraphSchema } from '../layer-graph/schema.ts';
import type { LayerGraph } from '../layer-graph/layer-graph.ts';
import { isLayerGraph, type Model } from '../model.ts';
import { lossScaleNames } from '../graphs/loss-scaling.ts';
import { optimizerRule, optimizerStateName } from '../graphs/optimizer.ts';
import { parameterSpecs } from '../initial-parameters.ts';
import type { ParameterSpec } from '../parameters.ts';
import { keptEpoch } from '../train/callbacks/callbacks-state.ts';
import type { Checkpoint, TrainingState } from './checkpoint.ts';
import {
  checkpointFormat,
  checkpointVersion,
  keptName,
  keptTensors,
  meanImageName,
  stdImageName,
  modelTensors,
  trainingTensors,
  type ExpectedTensor,
} from './encode.ts';
import type { ByteSource } from '../byte-source.ts';
import {
  indexSafetensors,
  withNumbers,
  type Safetensors,
  type SafetensorsIndex,
  type UnreadTensor,
} from './safetensors.ts';
import { classNamesSchema, modelSchema, preprocessingSchema, trainingSchema } from './schema.ts';

/**
 * Reads a checkpoint that {@link encodeCheckpoint} wrote.
 * @throws {FormatError} when the file is no safetensors file, no checkpoint, or one whose parts do not fit together;
 *   all that is wrong with its parts in one error
 */
export function decodeCheckpoint(bytes: ByteSource): Checkpoint {
  return readCheckpoint(openCheckpoint(indexSafetensors(bytes)));
}

/** What a checkpoint is of; its weights are not read before `read`. @throws {FormatError} like {@link decodeCheckpoint} */
export function outlineCheckpoint(
  index: SafetensorsIndex,
): Pick<Checkpoint, 'model' | 'classNames' | 'preprocessing'> & { readonly read: () => Checkpoint } {
  const opened = openCheckpoint(index);
  const { tensors, description } = opened;
  const { model } = description;
  const said = saidOf(description, (name) => tensors.get(name)?.read() ?? new Float32Array(0));
  return { model, ...said, read: () => readCheckpoint(opened) };
}

interface Opened {
  readonly tensors: Tensors;
  readonly description: Description;
}

function readCheckpoint({ tensors, description }: Opened): Checkpoint {
  const values = new Map<string, Float32Array>();
  const data = (name: string): Float32Array => {
    const value = values.get(name) ?? tensors.get(name)?.read() ?? new Float32Array(0);
    values.set(name, value);
    return value;
  };
  const infinite = [...tensors.keys()].filter((name) => !allFinite(data(name)));
  if (infinite.length > 0) throw invalid(infinite.map((name) => `tensor '${name}' holds NaN or infinite values`));
  const { model, specs, training } = description;
  const state = training === null ? null : trainingState(training, specs, data);
  const parts = {
    ...saidOf(description, data),
    parameters: new Map(specs.map(({ name }) => [name, data(name)])),
  };
  return state === null || isLayerGraph(model)
    ? { model, ...parts, training: null }
    : { model, ...parts, training: state };
}

function openCheckpoint(index: SafetensorsIndex): Opened {
  const { tensors, metadata } = withNumbers(index);
  const description = describe(metadata, tensors);
  checkTensors(tensors, expectedTensors(description));
  return { tensors, description };
}

type Tensors = ReadonlyMap<string, UnreadTensor>;

function saidOf(
  { classNames, preprocessing, hasStd }: Description,
  data: (name: string) => Float32Array,
): Pick<Checkpoint, 'classNames' | 'preprocessing'> {
  if (preprocessing === null) return { classNames, preprocessing };
  const { scale } = preprocessing;
  return {
    classNames,
    preprocessing: { scale, mean: data(meanImageName), ...(hasStd && { std: data(stdImageName) }) },
  };
}

type Description = ReturnType<typeof describe>;

/** What the metadata says. */
function describe(metadata: Safetensors['metadata'], tensors: Tensors) {
  if (metadata['format'] !== checkpointFormat) {
    throw invalid([
      `its metadata has format '${metadata['format'] ?? ''}' where a checkpoint has '${checkpointFormat}'`,
    ]);
  }
  if (metadata['version'] !== checkpointVersion) {
    throw invalid([
      `its version is '${metadata['version'] ?? ''}', but this release reads version ${checkpointVersion}`,
    ]);
  }
  const problems: string[] = [];
  const model = readModel(metadata, problems);
  const classNames = readJson(metadata, 'classNames', classNamesSchema, problems);
  const preprocessing = readJson(metadata, 'preprocessing', preprocessingSchema, problems);
  const training = 'training' in metadata ? readJson(metadata, 'training', trainingSchema, problems) : null;
  if (model === undefined || classNames === undefined || preprocessing === undefined || training === undefined)
    throw invalid(problems);
  problems.push(...modelProblems(model, classNames));
  if (isLayerGraph(model) && training !== null) problems.push('it goes on with the training of a graph of layers');
  // Every layer has two tensors or more, so this bounds the work that a header can ask for.
  if (!isLayerGraph(model) && model.depth > tensors.size)
    problems.push(`its model has ${model.depth} layers, but the file only ${tensors.size} tensors`);
  if (problems.length > 0) throw invalid(problems);
  return { model, classNames, preprocessing, training, specs: specsOf(model), hasStd: tensors.has(stdImageName) };
}

function expectedTensors({ model, specs, preprocessing, training, hasStd }: Description): readonly ExpectedTensor[] {
  const keeps = training !== null && keptEpoch(training.callbacks) !== null;
  return [
    ...modelTensors(model, specs, { mean: preprocessing !== null, std: hasStd }),
    ...(training === null ? [] : trainingTensors(specs, training.settings)),
    ...(keeps ? keptTensors(specs) : []),
  ];
}

function trainingState(
  training: v.InferOutput<typeof trainingSchema>,
  specs: readonly ParameterSpec[],
  data: (name: string) => Float32Array,
): TrainingState {
  const { settings, step, epochsDone, position, history, best, callbacks, end } = training;
  const problems: string[] = [];
  if (history.length !== epochsDone || history.some(({ epoch }, index) => epoch !== index + 1)) {
    problems.push(
      `it has ${epochsDone} epochs done, but a history of ${history.map(({ epoch }) => epoch).join(', ') || 'none'}`,
    );
  }
  if (epochsDone > settings.recipe.epochs)
    problems.push(`it has ${epochsDone} epochs done of ${settings.recipe.epochs}`);
  const kinds = settings.recipe.callbacks.map(({ kind }) => kind).join(', ');
  const states = callbacks.states.map(({ kind }) => kind).join(', ');
  if (kinds !== states) problems.push(`its recipe has the callbacks ${kinds}, but there are states of ${states}`);
  if (position > step) problems.push(`it is at step ${position} of an epoch, but at step ${step} of all`);
  if (problems.length > 0) throw invalid(problems);
  const trainable = specs.filter((spec) => spec.trainable);
  return {
    settings,
    step,
    epochsDone,
    position,
    metrics: { loss: data('metrics/loss')[0] ?? 0, correct: data('metrics/correct')[0] ?? 0 },
    history,
    best,
    callbacks,
    end,
    keptWeights: keptEpoch(callbacks) !== null ? new Map(specs.map(({ name }) => [name, data(keptName(name))])) : null,
    optimizer: Object.fromEntries(
      optimizerRule(settings.recipe.optimizer).slots.map((slot) => [
        slot,
        new Map(trainable.map(({ name }) => [name, data(optimizerStateName(slot, name))])),
      ]),
    ),
    lossScale: settings.lossScaling
      ? { scale: data(lossScaleNames.scale)[0] ?? 1, goodSteps: data(lossScaleNames.goodSteps)[0] ?? 0 }
      : null,
  };
}

/** Tensors that are missing, left over, or of another shape. */
function checkTensors(tensors: Tensors, expected: readonly ExpectedTensor[]): void {
  const names = new Set(expected.map(({ name }) => name));
  const problems = [...tensors.keys()]
    .filter((name) => !names.has(name))
    .map((name) => `tensor '${name}' does not belong to the model`);
  for (const { name, shape, dtype } of expected) {
    const tensor = tensors.get(name);
    if (tensor === undefined) problems.push(`tensor '${name}' is missing`);
    else if (!sameShape(tensor.shape, shape)) {
      problems.push(`tensor '${name}' is ${formatShape(tensor.shape)}, but the model has ${formatShape(shape)}`);
    } else if (tensor.dtype !== dtype) {
      problems.push(`tensor '${name}' is ${tensor.dtype ?? 'f32'}, but the model has ${dtype ?? 'f32'}`);
    }
  }
  if (problems.length > 0) throw invalid(problems);
}

/** A configuration of a family, or a graph of layers, which has `layers`. */
function readModel(metadata: Safetensors['metadata'], problems: string[]): Model | undefined {
  const graph = /"layers":/.test(metadata['model'] ?? '');
  return graph
    ? (readJson(metadata, 'model', layerGraphSchema, problems) as LayerGraph | undefined)
    : readJson(metadata, 'model', modelSchema, problems);
}

function specsOf(model: Model): readonly ParameterSpec[] {
  try {
    return parameterSpecs(model);
  } catch (error) {
    if (!(error instanceof SkiplaneError)) throw error;
    throw invalid([error.message]);
  }
}

function modelProblems(model: Model, classNames: readonly string[]): readonly string[] {
  const problems: string[] = [];
  try {
    if (!isLayerGraph(model)) problems.push(...nameProblems(model));
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    problems.push(error.message);
  }
  if (classNames.length !== model.classes)
    problems.push(`it names ${classNames.length} classes, but the model has ${model.classes}`);
  return problems;
}

/** @throws {ValueError} when its name is none */
function nameProblems(model: ModelConfig): readonly string[] {
  const { name, family, depth } = modelConfig(model.name, model);
  const same = name === model.name && family === model.family && depth === model.depth;
  return same ? [] : [`its model '${model.name}' says ${model.family} of depth ${model.depth}`];
}

function readJson<S extends v.GenericSchema>(
  metadata: Safetensors['metadata'],
  key: string,
  schema: S,
  problems: string[],
): v.InferOutput<S> | undefined {
  let json: unknown;
  try {
    json = JSON.parse(metadata[key] ?? '');
  } catch {
    problems.push(`its metadata '${key}' is no JSON text`);
    return undefined;
  }
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  problems.push(
    ...result.issues.map(
      (issue) => `its metadata '${[key, v.getDotPath(issue)].filter(Boolean).join('.')}': ${issue.message}`,
    ),
  );
  return undefined;
}

function invalid(problems: readonly string[]): FormatError {
  return new FormatError(
    `this is no usable checkpoint: ${problems.join('; ')}. Use a file that training has written.`,
    { problems },
  );
}
