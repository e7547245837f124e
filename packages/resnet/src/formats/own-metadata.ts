import { ValueError } from '@skiplane/core';
import * as v from 'valibot';
import { classNamesSchema, modelSchema } from '../checkpoint/schema.ts';
import { modelConfig, type ModelConfig } from '../config.ts';
import { matchNetworks } from '../layer-graph/match-networks.ts';
import { layerGraphSchema } from '../layer-graph/schema.ts';
import { isJsonObject } from '../recipe/json.ts';
import { isLayerGraph, type Model } from '../model.ts';
import { resolvePreprocessing, preprocessingNumbersSchema } from '../preprocessing-input.ts';
import type { ImportedNetwork, NetworkOutline } from './model-file.ts';
import { parameterSpecs } from '../initial-parameters.ts';

// Of valibot there is what a checkpoint needs, too: functions that only this file has would be in every page that loads one.
const schema = v.objectWithRest(
  {
    model: v.lazy((model) => (isJsonObject(model) && 'layers' in model ? layerGraphSchema : modelSchema)),
    classNames: classNamesSchema,
    preprocessing: v.nullable(preprocessingNumbersSchema),
  },
  v.unknown(),
);

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
