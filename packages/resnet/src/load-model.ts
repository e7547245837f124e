import { FormatError, ValueError } from '@skiplane/core';
import type { TrainingState } from './checkpoint/checkpoint.ts';
import type { Dataset } from './data/dataset.ts';
import { cifar10ClassNames } from './data/cifar10.ts';
import type { Preprocessing } from './data/preprocessing.ts';
import { addressOf, fetchBytes } from './fetch-file.ts';
import type { FileFormat, OpenOptions, OptimizerSnapshot } from './formats/model-file.ts';
import { blobSource, type ByteSource } from './byte-source.ts';
import { openModelFile } from './open-model-file.ts';
import type { ReadSibling } from './formats/sibling.ts';
import type { Model } from './model.ts';
import type { Parameters } from './parameters.ts';
import type { PreprocessingInput } from './preprocessing-input.ts';

/** A network out of a file of any kind, ready for `evaluateModel`, `predictImages`, and `Predictor.compile`. */
export interface LoadedModel {
  readonly format: FileFormat;
  readonly model: Model;
  readonly parameters: Parameters;
  /** Null where neither the file nor the options say how images are prepared. */
  readonly preprocessing: Preprocessing | null;
  /** Out of the file, or CIFAR-10's for ten classes, else numbers. */
  readonly classNames: readonly string[];
  /** What the file says beside tensors and layers. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Null but in a checkpoint of a training run. */
  readonly training: TrainingState | null;
  /** Where the optimizer of a Keras file stands; null where there is none, or one that this library has not. */
  readonly optimizer: OptimizerSnapshot | null;
}

export interface LoadModelOptions extends OpenOptions {
  /** How images are prepared, where the file does not say it, or is to be overruled. */
  readonly preprocessing?: PreprocessingInput | undefined;
  /** The training images, whose mean the preset 'keras-mean' subtracts. */
  readonly trainImages?: Dataset | undefined;
  readonly classNames?: readonly string[] | undefined;
}

/** What a model can be loaded from: bytes, a `File` or `Blob`, or an address. Paths are for `@skiplane/resnet/node`. */
export type ModelSource = Uint8Array | Blob | URL | string;

/**
 * Loads a network from a file of any known kind: a checkpoint, safetensors, Keras `.h5` and `.keras`, TensorFlow.js
 * `model.json`, PyTorch `.pt`, `.pth` and `.th`, ONNX. The kind is found out by the content.
 *
 * ```ts
 * const loaded = await loadModel(new URL('https://example.org/resnet20.th'), { preprocessing: 'imagenet' });
 * const { accuracy } = await evaluateModel({ backend, ...loaded, data });
 * ```
 * @throws {FormatError} when the file is damaged, or holds what cannot be represented: all of it in one error
 * @throws {SkiplaneError} of the code FETCH when an address cannot be fetched
 * @throws {ValueError} when the preprocessing is not for the network's images, or the address is none
 */
export async function loadModel(source: ModelSource, options: LoadModelOptions = {}): Promise<LoadedModel> {
  if (source instanceof Uint8Array) return await loadSource(source, options);
  if (source instanceof Blob) return await loadSource(blobSource(source) ?? (await wholeBlob(source)), options);
  const url = addressOf(source);
  const sibling: ReadSibling = (name) => fetchBytes(new URL(name, url));
  const bytes = await fetchBytes(url);
  return await withSource(url.href, () => loadSource(bytes, { sibling, ...options }));
}

/** The same from bytes that are read when they are asked for. */
export async function loadSource(source: ByteSource, options: LoadModelOptions): Promise<LoadedModel> {
  const file = await openModelFile(source, options);
  const { model, parameters, preprocessing, classNames, training, optimizer = null } = file.network();
  const named = options.classNames ?? classNames ?? defaultClassNames(model.classes);
  if (named.length !== model.classes) {
    throw new ValueError(
      `${named.length} class names are given for '${model.name}', which has ${model.classes} classes.`,
    );
  }
  return {
    format: file.format,
    model,
    parameters,
    preprocessing: (await givenPreprocessing(model, options)) ?? preprocessing,
    classNames: named,
    metadata: file.metadata,
    training,
    optimizer,
  };
}

async function givenPreprocessing(
  model: Model,
  { preprocessing, trainImages }: LoadModelOptions,
): Promise<Preprocessing | undefined> {
  if (preprocessing === undefined) return undefined;
  const { resolvePreprocessing } = await import('./preprocessing-input.ts');
  return resolvePreprocessing(preprocessing, model, trainImages);
}

/** Says in errors of a file which one it is. */
export async function withSource<T>(source: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`cannot load '${source}': ${error.message}`, { ...error.details, path: source }, error);
  }
}

function defaultClassNames(classes: number): readonly string[] {
  return classes === cifar10ClassNames.length
    ? cifar10ClassNames
    : Array.from({ length: classes }, (_, i) => `class ${i}`);
}

async function wholeBlob(blob: Blob): Promise<Uint8Array> {
  const bytes = await blob.arrayBuffer().catch((error: unknown) => {
    throw new FormatError(
      `this file of ${blob.size} bytes cannot be read (${error instanceof Error ? error.message : String(error)}). Load it in a worker, which reads files piece by piece.`,
      { length: blob.size },
      error,
    );
  });
  return new Uint8Array(bytes);
}
