import { elementCount, FormatError, formatShape } from '@skiplane/core';
import type { Preprocessing } from '../data/preprocessing.ts';
import type { ByteSource } from '../byte-source.ts';
import type { TrainingState } from '../checkpoint/checkpoint.ts';
import type { Model } from '../model.ts';
import type { Parameters } from '../parameters.ts';
import type { ReadSibling } from './sibling.ts';
import type { OptimizerSettings } from '../recipe/optimizer.ts';

/** Kinds of files that hold networks or weights. */
export type FileFormat =
  | 'skiplane-checkpoint'
  | 'safetensors'
  | 'keras-hdf5'
  | 'keras-zip'
  | 'tfjs-layers'
  | 'pytorch'
  | 'onnx';

/** A tensor of a file, read when it is asked for. */
export interface FileTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** As the format calls it in lower case, such as `float32`, `float16`, `int64`. */
  readonly dtype: string;
  /** All elements as float32, row by row; a view of the file's bytes where that is possible. */
  readonly read: () => Float32Array;
}

/** A network out of a file: laid out as this library wants it, with nothing left over and nothing missing. */
export interface ImportedNetwork {
  readonly model: Model;
  readonly parameters: Parameters;
  /** Null where the file does not say how images are prepared. */
  readonly preprocessing: Preprocessing | null;
  /** Null where the file does not name its classes. */
  readonly classNames: readonly string[] | null;
  /** Null but in a checkpoint of a training run. */
  readonly training: TrainingState | null;
  /** What Keras keeps of training; left out where there is none. */
  readonly optimizer?: OptimizerSnapshot | undefined;
}

/** Where an optimizer stands between two steps. */
export interface OptimizerSnapshot {
  readonly settings: OptimizerSettings;
  readonly learningRate: number;
  /** Steps since training began. */
  readonly step: number;
  /** By slot (m and v of Adam and AdamW, momentum of SGD), then by trainable parameter. */
  readonly state: Readonly<Record<string, Parameters>>;
}

/** A network in a file: its layers are known, and none of its weights is read yet. */
export interface NetworkOutline extends Pick<ImportedNetwork, 'model' | 'preprocessing' | 'classNames'> {
  /** Reads the weights. @throws {FormatError} that lists those that hold NaN or infinite values */
  read(): ImportedNetwork;
}

/** A file whose parts are known, but not read yet. */
export interface ModelDirectory {
  readonly format: FileFormat;
  /** All of them, the state of an optimizer included. */
  readonly tensors: ReadonlyMap<string, FileTensor>;
  /** What the file says beside tensors and layers, such as the version of the program that wrote it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** @throws {FormatError} that lists all that cannot be represented, or all that does not fit */
  outline(): NetworkOutline;
}

/** The same with all at once. */
export interface ModelFile extends ModelDirectory {
  /** @throws {FormatError} like `outline`, and `read` of what that gives, and when there are too many weights */
  network(): ImportedNetwork;
}

/** What a file alone does not say. */
export interface OpenOptions {
  /** Opens a file beside it: the shards of a `model.json`, and those in which tensors of ONNX lie. */
  readonly sibling?: ReadSibling | undefined;
  /** Which dictionary of tensors is meant, where a PyTorch file holds several, such as 'state_dict_ema'. */
  readonly entry?: string | undefined;
}

/** A file that reads as its format, but cannot be used. */
export function fileError(
  format: string,
  problem: string,
  next = 'Use a copy that is whole.',
  cause?: unknown,
): FormatError {
  return new FormatError(`this is no valid ${format} file: ${problem}. ${next}`, { format, problem }, cause);
}

/** What Node reads at once; networks of residual blocks have a tenth of it. */
const maxWholeBytes = 2 ** 31 - 1;

/** @throws {FormatError} when something has more bytes than are held in memory as a whole */
export function checkWholeSize({ length }: Pick<ByteSource, 'length'>, what = 'it'): void {
  if (length <= maxWholeBytes) return;
  throw new FormatError(
    `${what} has ${length} bytes, but at most ${maxWholeBytes} are read as a whole. Such files can be inspected by their path.`,
    { length, maxWholeBytes },
  );
}

/** @throws {FormatError} when sizes are none, or more than any tensor in memory can have */
export function checkShape(format: string, name: string, shape: readonly number[]): number {
  const count = elementCount(shape);
  if (shape.length > 8 || shape.some((size) => !Number.isSafeInteger(size) || size < 0) || count > 2 ** 31) {
    throw fileError(format, `tensor '${name}' has the shape ${formatShape(shape.slice(0, 9))}`);
  }
  return count;
}
