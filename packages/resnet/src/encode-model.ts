import { elementCount, FormatError, formatShape } from '@skiplane/core';
import type { TrainingState } from './checkpoint/checkpoint.ts';
import { encodeCheckpoint } from './checkpoint/encode.ts';
import type { Preprocessing } from './data/preprocessing.ts';
import { encodeKerasHdf5 } from './formats/keras-hdf5-writer.ts';
import { kerasModel } from './formats/keras-model.ts';
import { kerasTraining } from './formats/keras-training.ts';
import type { OptimizerSnapshot } from './formats/model-file.ts';
import { ownMetadata } from './formats/own-metadata-writer.ts';
import { encodeTfjsLayers } from './formats/tfjs-layers-writer.ts';
import { parameterSpecs } from './initial-parameters.ts';
import { isLayerGraph, type Model } from './model.ts';
import type { Parameters } from './parameters.ts';

/** Kinds of files that can be written. */
export const writtenFormats = ['skiplane-checkpoint', 'keras-hdf5', 'keras-zip', 'tfjs-layers', 'onnx'] as const;

export type WrittenFormat = (typeof writtenFormats)[number];

/** What a model's files hold; what `loadModel` and `decodeCheckpoint` give is one. */
export interface SavableModel {
  readonly model: Model;
  readonly parameters: Parameters;
  readonly classNames: readonly string[];
  readonly preprocessing: Preprocessing | null;
  /** Kept whole in checkpoints; of it, Keras files keep the optimizer, the L2 penalties and batch norm's momentum. */
  readonly training?: TrainingState | null;
  /** Kept in Keras files, where there is no `training`. */
  readonly optimizer?: OptimizerSnapshot | null;
}

export interface EncodedModel {
  /** One file, or several that belong together, by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What could not be kept, in words. */
  readonly notes: readonly string[];
}

/**
 * A model as files of a format: a checkpoint (safetensors), Keras `.h5` and `.keras`, ONNX, or a TensorFlow.js layers model, a
 * `model.json` and its shards. The same model gives the same bytes. The output is logits in all of them. Names of classes,
 * preprocessing and layers travel as metadata, which `loadModel` reads; others ignore it.
 *
 * ```ts
 * const { files } = await encodeModel(await loadModel(url), 'onnx', 'resnet20.onnx');
 * ```
 * @param name  of the file, or of the one that lists the others
 * @throws {FormatError} when the format has no layers for some, all of them in one error, or a parameter is missing
 */
export async function encodeModel(saved: SavableModel, format: WrittenFormat, name: string): Promise<EncodedModel> {
  checkParameters(saved);
  const { model, parameters, training = null, optimizer = null } = saved;
  if (format === 'skiplane-checkpoint') return { files: new Map([[name, checkpointOf(saved)]]), notes: [] };
  const metadata = ownMetadata(saved);
  if (format === 'onnx') {
    const { encodeOnnxModel } = await import('./formats/onnx-writer.ts');
    return { files: new Map([[name, encodeOnnxModel(model, parameters, metadata)]]), notes: [] };
  }
  const tfjs = format === 'tfjs-layers';
  const kept = kerasTraining(model, training, training === null ? optimizer : undefined);
  const options = { format: tfjs ? 'a TensorFlow.js layers model' : 'a Keras file', keepsDims: !tfjs };
  const keras = kerasModel(model, parameters, { ...options, ...(!tfjs && kept.layers) });
  if (tfjs) return { files: encodeTfjsLayers(keras, metadata, name), notes: [] };
  // The zip library is loaded for those who write one.
  const write =
    format === 'keras-zip' ? (await import('./formats/keras-zip-writer.ts')).encodeKerasZip : encodeKerasHdf5;
  return { files: new Map([[name, write(keras, kept, metadata)]]), notes: kept.notes };
}

function checkpointOf({ training = null, ...parts }: SavableModel): Uint8Array {
  const { model, classNames, preprocessing, parameters } = parts;
  const shared = { classNames, preprocessing, parameters };
  return encodeCheckpoint(
    isLayerGraph(model) || training === null ? { model, ...shared, training: null } : { model, ...shared, training },
  );
}

/** @throws {FormatError} that lists all parameters that are missing, or not of the model's shape */
function checkParameters({ model, parameters }: SavableModel): void {
  const problems = parameterSpecs(model).flatMap(({ name, shape }) => {
    const { length } = parameters.get(name) ?? [];
    if (length === elementCount(shape)) return [];
    return [
      `'${name}' ${formatShape(shape)} ${length === undefined || length === 0 ? 'is missing' : `has ${length} values`}`,
    ];
  });
  if (problems.length > 0)
    throw new FormatError(`'${model.name}' cannot be written: ${problems.join('; ')}.`, { problems });
}
