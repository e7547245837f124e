import { ValueError } from '@skiplane/core';
import * as v from 'valibot';
import { sortedJson } from '../checkpoint/encode.ts';
import { classNamesSchema, modelSchema } from '../checkpoint/schema.ts';
import { modelConfig, type ModelConfig } from '../config.ts';
import type { Preprocessing } from '../data/preprocessing.ts';
import { matchNetworks } from '../layer-graph/match-networks.ts';
import { layerGraphSchema } from '../layer-graph/schema.ts';
import { isLayerGraph, type Model } from '../model.ts';
import { resolvePreprocessing, preprocessingNumbersSchema, type PreprocessingNumbers } from '../preprocessing-input.ts';
import type { ImportedNetwork, NetworkOutline } from './model-file.ts';
import { parameterSpecs } from '../initial-parameters.ts';

const schema = v.object({
  model: v.union([modelSchema, layerGraphSchema]),
  classNames: classNamesSchema,
  preprocessing: v.nullable(preprocessingNumbersSchema),
});

/**
 * What others' formats have no place for, as JSON: the model with the names of its layers, the names of the classes, and the
 * preprocessing as `--preprocess` takes it, the values of an image row by row, its channels innermost.
 */
export function ownMetadata({
  model,
  classNames,
  preprocessing,
}: Pick<ImportedNetwork, 'model' | 'preprocessing'> & { readonly classNames: readonly string[] }): string {
  const numbers = preprocessing === null ? null : numbersOf(preprocessing, model.channels);
  return sortedJson({ model, classNames, preprocessing: numbers });
}

function numbersOf({ scale, mean, std }: Preprocessing, channels: number): PreprocessingNumbers {
  return { scale, mean: shortest(mean, channels), ...(std !== undefined && { std: shortest(std, channels) }) };
}

/** One value, one a channel, or all, with as many digits as float32 needs. */
function shortest(values: Float32Array, channels: number): readonly number[] {
  const period = [1, channels].find((length) => values.every((value, i) => value === values[i % length]));
  return Array.from(values.subarray(0, period ?? values.length), (value) => Number(value.toPrecision(9)));
}

/**
 * A network with what its file's own metadata says of it. The model and its names come back where the network computes the
 * same, op by op: a file that was changed elsewhere keeps what it has.
 */
export function withOwnMetadata(outline: NetworkOutline, text: string | undefined): NetworkOutline {
  const said = parsed(text);
  if (said === undefined) return outline;
  const { model, classes } = { model: outline.model, classes: outline.model.classes };
  const { classNames, preprocessing } = said;
  const names = namesIn(model, said.model);
  const known = {
    model: names === undefined ? model : said.model,
    preprocessing:
      outline.preprocessing ?? (preprocessing === null ? null : resolvePreprocessing(preprocessing, model)),
    classNames: outline.classNames ?? (classNames.length === classes ? classNames : null),
  };
  const read = (): ImportedNetwork => {
    const network = outline.read();
    return { ...network, ...known, ...(names !== undefined && renamedParameters(network, names)) };
  };
  return { ...known, read };
}

/** The names of a network's parameters by those of the model that the metadata tells; undefined where it is another. */
function namesIn(read: Model, said: Model): ReadonlyMap<string, string> | undefined {
  if (!isLayerGraph(said) && !isConfig(said, parameterSpecs(read).length)) return undefined;
  return matchNetworks(said, read);
}

function renamedParameters(
  { parameters, optimizer }: ImportedNetwork,
  names: ReadonlyMap<string, string>,
): Pick<ImportedNetwork, 'parameters' | 'optimizer'> {
  const renamed = (values: ReadonlyMap<string, Float32Array>): Map<string, Float32Array> =>
    new Map(
      [...names].flatMap(([ours, theirs]) => (values.has(theirs) ? [[ours, values.get(theirs) as Float32Array]] : [])),
    );
  if (optimizer == null) return { parameters: renamed(parameters) };
  const state = Object.fromEntries(Object.entries(optimizer.state).map(([slot, values]) => [slot, renamed(values)]));
  return { parameters: renamed(parameters), optimizer: { ...optimizer, state } };
}

/** Whether a configuration is one that its name stands for, and no larger than what is there. */
function isConfig(model: ModelConfig, parameters: number): boolean {
  // Every layer has two parameters or more, so this bounds the work that a file can ask for.
  if (model.depth > parameters) return false;
  try {
    const { name, family, depth } = modelConfig(model.name, model);
    return name === model.name && family === model.family && depth === model.depth;
  } catch (error) {
    if (error instanceof ValueError) return false;
    throw error;
  }
}

/** Undefined where there is none, or one that another release wrote in another form. */
function parsed(text: string | undefined): v.InferOutput<typeof schema> | undefined {
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const result = v.safeParse(schema, json);
  return result.success ? result.output : undefined;
}
