import { existsSync } from 'node:fs';
import { createPreprocessing, parsePreprocessing, type LoadedModel, type PreprocessingInput } from '@skiplane/resnet';
import { loadModel } from '@skiplane/resnet/node';
import { loadData } from './data/load.ts';
import { CommandError, errorMessage, UsageError } from './errors.ts';
import { note } from './output.ts';

export interface WeightsFlags {
  readonly weights: string;
  /** A preset, or JSON. */
  readonly preprocess?: string | undefined;
  /** Where the training images are, whose mean 'keras-mean' subtracts. */
  readonly data?: string | undefined;
  /** Which dictionary of a PyTorch file. */
  readonly entry?: string | undefined;
}

/** Reads the file that `--weights` names, whatever its kind. */
export async function openWeights({ weights, preprocess, data, entry }: WeightsFlags): Promise<LoadedModel> {
  checkFile(weights, '--weights');
  const preprocessing = await choosePreprocessing(preprocess, data);
  const loaded = await loadModel(weights, { preprocessing, entry });
  if (loaded.format !== 'skiplane-checkpoint') note(`weights: ${loaded.format}, ${loaded.model.name}`);
  return loaded;
}

/** @throws {CommandError} when there is no such file */
export function checkFile(path: string, what: string): void {
  if (existsSync(path)) return;
  throw new CommandError(
    `${what} is '${path}', but there is no such file. Training writes best.safetensors and last.safetensors.`,
  );
}

/** What `--preprocess` says; the mean image of the training set is computed. */
async function choosePreprocessing(
  text: string | undefined,
  data: string | undefined,
): Promise<PreprocessingInput | undefined> {
  if (text === undefined) return undefined;
  const said = parsed(text);
  if (said !== 'keras-mean') return said;
  return createPreprocessing((await loadData(data, {})).train);
}

function parsed(text: string): PreprocessingInput {
  try {
    return parsePreprocessing(text);
  } catch (error) {
    throw new UsageError(`option '--preprocess': ${errorMessage(error)}`, { cause: error });
  }
}
