import { ValueError } from '@skiplane/core';
import {
  encodeModel,
  loadModel,
  type EncodedModel,
  type FileFormat,
  type LoadModelOptions,
  type Model,
  type WrittenFormat,
} from '@skiplane/resnet';
import type { WorkerState } from '../state.ts';
import { transferring } from '../transfer.ts';

export interface LoadRequest extends Pick<LoadModelOptions, 'classNames' | 'preprocessing'> {
  /** A file that was dropped, its bytes, or an address. */
  readonly source: Blob | Uint8Array | string;
  /** Files beside it, by name: the shards of a `model.json` that was dropped. */
  readonly siblings?: Readonly<Record<string, Blob>>;
}

/** A network without its weights. */
export interface NetworkInfo {
  readonly format: FileFormat;
  readonly model: Model;
  readonly classNames: readonly string[];
  /** False where neither the file nor the options say how images are prepared: `predict` and `evaluate` then fail. */
  readonly hasPreprocessing: boolean;
  /** What the file says beside tensors and layers. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Where its run stands; null for weights alone, which cannot be trained further. */
  readonly training: { readonly step: number; readonly epochsDone: number; readonly epochs: number } | null;
}

export interface SaveRequest {
  readonly format: WrittenFormat;
  /** Of the file, or of the one that lists the others. */
  readonly name: string;
}

/** Loads a network of any known kind, in place of the present one. @throws what `loadModel` throws */
export async function load(state: WorkerState, { source, siblings, ...options }: LoadRequest): Promise<NetworkInfo> {
  if (state.run?.finished === false) throw new ValueError('a run is under way: stop it before a network is loaded.');
  const loaded = await loadModel(source, {
    ...options,
    ...(options.preprocessing === 'keras-mean' && { trainImages: state.split('train') }),
    ...(siblings !== undefined && { sibling: (name) => readSibling(siblings, name) }),
  });
  state.network = loaded;
  const { format, model, classNames, preprocessing, metadata, training } = loaded;
  return {
    format,
    model,
    classNames,
    hasPreprocessing: preprocessing !== null,
    metadata,
    training: training && {
      step: training.step,
      epochsDone: training.epochsDone,
      epochs: training.settings.recipe.epochs,
    },
  };
}

async function readSibling(siblings: Readonly<Record<string, Blob>>, name: string): Promise<Uint8Array> {
  const file = siblings[name];
  if (file === undefined) {
    throw new ValueError(
      `the file '${name}', which belongs to it, is not there; given are ${Object.keys(siblings).join(', ') || 'no others'}.`,
      { name },
    );
  }
  return new Uint8Array(await file.arrayBuffer());
}

/** The present network as files of a format. @throws what `encodeModel` throws */
export async function save(state: WorkerState, { format, name }: SaveRequest): Promise<EncodedModel> {
  const encoded = await encodeModel(state.network, format, name);
  return transferring(
    encoded,
    [...encoded.files.values()].map(({ buffer }) => buffer as ArrayBuffer),
  );
}
