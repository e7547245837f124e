import { matchKerasWeights } from './keras-weights.ts';
import { parseKerasModel, type KerasNetwork, type ListedLayer } from './keras-config.ts';
import { isObject } from './keras-json.ts';
import { kerasNetwork, type WeightsOf } from './keras-graph.ts';
import { layerKey, layersBy, weightsByName } from './keras-layer-weights.ts';
import { readOptimizer } from './keras-optimizer.ts';
import { openHdf5, type Hdf5File } from './hdf5.ts';
import type { ByteSource } from '../byte-source.ts';
import {
  fileError,
  type FileTensor,
  type ImportedNetwork,
  type ModelDirectory,
  type NetworkOutline,
} from './model-file.ts';
import { misfit } from './network-assembler.ts';
import { ownKey } from './own-key.ts';
import { parseJson } from './parse-json.ts';

const format = 'Keras HDF5';

/** Reads what Keras 2 or 3 wrote as `.h5`: whole models, and weights alone. @throws {FormatError} when it is damaged */
export function readKerasHdf5(source: ByteSource): ModelDirectory {
  const file = openHdf5(source);
  const texts = ['keras_version', 'backend', 'model_config', 'training_config', ownKey].flatMap((key) => {
    const text = file.text('', key) ?? file.text('model_weights', key);
    return text === undefined ? [] : [[key, text] as const];
  });
  const metadata = Object.fromEntries(texts);
  return {
    format: 'keras-hdf5',
    tensors: file.tensors,
    metadata,
    outline: () => outlineOf(file, metadata['model_config'], metadata['training_config']),
  };
}

function outlineOf(file: Hdf5File, config: string | undefined, training: string | undefined): NetworkOutline {
  if (config === undefined) return matchKerasWeights(namedLayers(file) ?? storedObjects(file));
  const network = parseKerasModel(format, parseJson(format, 'model_config', config));
  const weights = namedLayers(file) ?? [];
  const byLayer = assigned(network, weights);
  const outline = kerasNetwork(network, (layer) => byLayer.get(layerKey(layer)) ?? []);
  return {
    ...outline,
    read() {
      const imported = outline.read();
      return { ...imported, optimizer: optimizerOf(file, training, network, imported) };
    },
  };
}

/** Undefined where none is kept, or one that this library has not. */
function optimizerOf(
  file: Hdf5File,
  training: string | undefined,
  network: KerasNetwork,
  { parameters }: ImportedNetwork,
): ImportedNetwork['optimizer'] {
  const names = longList(file, 'optimizer_weights', 'weight_names');
  if (training === undefined || names === undefined) return undefined;
  const config = parseJson(format, 'training_config', training);
  const variables = names.map((name) => file.tensors.get(`optimizer_weights/${name}`)?.read() ?? new Float32Array(0));
  return isObject(config) ? readOptimizer(config['optimizer_config'], variables, network, parameters) : undefined;
}

/** The weights of a layer in Keras's order. */
export interface LayerWeights {
  readonly layer: string;
  readonly tensors: readonly FileTensor[];
}

/** Layers and weights as the attributes `layer_names` and `weight_names` list them; undefined where there are none. */
function namedLayers(file: Hdf5File): readonly LayerWeights[] | undefined {
  const root = file.groups.has('model_weights') ? 'model_weights' : '';
  const names = longList(file, root, 'layer_names');
  if (names === undefined) return undefined;
  return names.map((layer) => {
    const group = root === '' ? layer : `${root}/${layer}`;
    const tensors = (longList(file, group, 'weight_names') ?? []).map((weight) => {
      const tensor = file.tensors.get(`${group}/${weight}`);
      if (tensor === undefined)
        throw fileError(format, `layer '${layer}' lists the weight '${weight}', which is not there`);
      return { ...tensor, name: weight };
    });
    return { layer, tensors };
  });
}

/** Lists that do not fit one attribute are cut: `layer_names0`, `layer_names1`, … */
function longList(file: Hdf5File, group: string, key: string): readonly string[] | undefined {
  const whole = file.texts(group, key);
  if (whole !== undefined) return whole;
  const parts: string[] = [];
  for (let i = 0; ; i++) {
    const part = file.texts(group, `${key}${i}`);
    if (part === undefined) return i === 0 ? undefined : parts;
    parts.push(...part);
  }
}

/** Layers of a `.weights.h5` of Keras 3, which are named after their classes; in the order of their numbers. */
function storedObjects(file: Hdf5File): readonly LayerWeights[] {
  const layers = [...layersOf(file).entries()].map(([layer, tensors]) => ({ layer, tensors }));
  if (layers.length === 0) throw fileError(format, 'it has neither layers nor weights of Keras');
  return layers;
}

/** Weights of a `.weights.h5` by the groups of the models and the layer that they lie in, such as `functional/conv2d_3`. */
function layersOf(file: Hdf5File): ReadonlyMap<string, readonly FileTensor[]> {
  const layers = new Map<string, FileTensor[]>();
  for (const tensor of file.tensors.values()) {
    const match = /^(?<groups>(?:_layer_checkpoint_dependencies|layers)\/.+)\/vars\/(?<index>\d+)$/.exec(tensor.name);
    const { groups, index } = match?.groups ?? {};
    if (groups === undefined || index === undefined) continue;
    const layer = groups.replaceAll(/(?:^|\/)(?:_layer_checkpoint_dependencies|layers)\//g, '/').slice(1);
    const list = layers.get(layer) ?? [];
    list[Number(index)] = tensor;
    if (Number(index) > 100) throw fileError(format, `layer '${layer}' has a variable of number ${index}`);
    layers.set(layer, list);
  }
  return layers;
}

/** Finds the weights of a model's layers in a `.weights.h5`. @throws {FormatError} when some belong to no layer */
export function storedWeights(file: Hdf5File, network: KerasNetwork): WeightsOf {
  const stored = layersOf(file);
  const names = new Map(storedPaths(network.listed));
  const known = new Set(names.values());
  const strange = [...stored.keys()].filter((layer) => !known.has(layer));
  if (strange.length > 0)
    throw misfit(
      network.name,
      strange.map((layer) => `weights of '${layer}', which is none of its layers`),
    );
  return (layer) => stored.get(names.get(layerKey(layer)) ?? '') ?? [];
}

/** Where layers are stored, by their keys. */
function storedPaths(listed: readonly ListedLayer[]): readonly (readonly [key: string, path: string])[] {
  const names = storedNames(listed);
  return listed.flatMap(({ name, listed: inner }) => {
    const stored = names.get(name) ?? name;
    if (inner === undefined) return [[name, stored] as const];
    return storedPaths(inner).map(([key, path]) => [`${name}/${key}`, `${stored}/${path}`] as const);
  });
}

/** Keras 3 stores a layer under its class in snake case, with a number from the second of the class on. */
export function storedNames(layers: readonly Pick<ListedLayer, 'name' | 'className'>[]): ReadonlyMap<string, string> {
  const used = new Map<string, number>();
  return new Map(
    layers.map((layer) => {
      const name = layer.className
        .replaceAll(/\W+/g, '')
        .replaceAll(/(.)([A-Z][a-z]+)/g, '$1_$2')
        .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
        .toLowerCase();
      const count = used.get(name) ?? 0;
      used.set(name, count + 1);
      return [layer.name, count === 0 ? name : `${name}_${count}`];
    }),
  );
}

/** A layer's weights, by its key; a model among the layers has those of all its own. @throws {FormatError} when some belong to none */
function assigned(
  { name, layers }: KerasNetwork,
  weights: readonly LayerWeights[],
): ReadonlyMap<string, readonly FileTensor[]> {
  const byOuter = layersBy(layers, 0);
  const all = new Map<string, readonly FileTensor[]>();
  const problems: string[] = [];
  for (const { layer, tensors } of weights) {
    const inner = byOuter.get(layer)?.filter(({ path }) => path.length > 1) ?? [];
    const { owned, strange } =
      inner.length > 0 ? weightsByName(tensors, inner) : { owned: new Map([[layer, tensors]]), strange: [] };
    if (tensors.length > 0 && !byOuter.has(layer)) problems.push(`weights of '${layer}'`);
    for (const tensor of strange) problems.push(`weight '${tensor.name}' of '${layer}'`);
    for (const [key, own] of owned) all.set(key, own);
  }
  if (problems.length > 0)
    throw misfit(
      name,
      problems.map((problem) => `${problem}, which is none of its layers, or does not reach its output`),
    );
  return all;
}
