import * as v from 'valibot';
import { parseKerasModel } from './keras-config.ts';
import { isObject } from './keras-json.ts';
import { kerasNetwork } from './keras-graph.ts';
import { layerKey, weightsByName } from './keras-layer-weights.ts';
import type { ByteSource } from '../byte-source.ts';
import { checkShape, fileError, type FileTensor, type ModelDirectory, type NetworkOutline } from './model-file.ts';
import { misfit } from './network-assembler.ts';
import { bytesOfElement, toFloat32 } from './numbers.ts';
import { ownKey } from './own-key.ts';
import { parseJson } from './parse-json.ts';
import { siblingName, type ReadSibling } from './sibling.ts';
import { joinedSources } from './source-parts.ts';

const format = 'TensorFlow.js';

/** Files may say more. */
const loose = <const E extends v.ObjectEntries>(entries: E) => v.objectWithRest(entries, v.unknown());
const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const weightSchema = loose({
  name: v.string(),
  shape: v.array(size),
  dtype: v.string(),
  /** Where it is the optimizer's. */
  group: v.optional(v.string()),
  quantization: v.optional(
    loose({ dtype: v.string(), scale: v.optional(v.number(), 1), min: v.optional(v.number(), 0) }),
  ),
});
const manifestSchema = v.array(loose({ paths: v.array(v.string()), weights: v.array(weightSchema) }));

/** @param head  the first bytes of a file */
export function looksLikeJson(head: Uint8Array): boolean {
  const start = new TextDecoder().decode(head).trimStart();
  return start.startsWith('{');
}

/** The names and shapes of a network of 1,000 layers have a hundredth of it. */
const maxJsonBytes = 2 ** 26;

/** Reads a layers model: `model.json`, and the shards that it lists. @throws {FormatError} when it is another JSON file, or damaged */
export async function readTfjsLayers(source: ByteSource, sibling: ReadSibling): Promise<ModelDirectory> {
  if (source.length > maxJsonBytes) throw fileError(format, `its model.json has ${source.length} bytes`);
  const json = parseJson(format, 'model.json', new TextDecoder().decode(source.subarray(0, source.length)));
  if (!isObject(json) || !isObject(json['modelTopology']))
    throw fileError(format, 'it has no modelTopology', 'Give the model.json of a layers model.');
  const topology = json['modelTopology'];
  const config = topology['model_config'] ?? topology;
  if ('node' in topology)
    throw fileError(
      format,
      'it is a graph model',
      'Only layers models say what they compute; convert the Keras file itself.',
    );
  const manifest = v.safeParse(manifestSchema, json['weightsManifest'] ?? []);
  if (!manifest.success)
    throw fileError(
      format,
      `its weightsManifest breaks the format: ${v.getDotPath(manifest.issues[0]) ?? ''} ${manifest.issues[0].message}`,
    );
  const tensors = new Map<string, FileTensor>();
  for (const { paths, weights } of manifest.output) await readGroup(paths, weights, sibling, tensors);
  const optimizers = manifest.output.flatMap(({ weights }) => weights.filter(({ group }) => group === 'optimizer'));
  const own = new Map(tensors);
  for (const { name } of optimizers) own.delete(name);
  const metadata = ['format', 'generatedBy', 'convertedBy'].flatMap((key) => {
    const value = json[key];
    return typeof value === 'string' ? [[key, value] as const] : [];
  });
  const more = json['userDefinedMetadata'];
  if (isObject(more) && typeof more[ownKey] === 'string') metadata.push([ownKey, more[ownKey]]);
  return {
    format: 'tfjs-layers',
    tensors,
    metadata: Object.fromEntries(metadata),
    outline: () => outlineOf(config, own),
  };
}

async function readGroup(
  paths: readonly string[],
  weights: v.InferOutput<typeof manifestSchema>[number]['weights'],
  sibling: ReadSibling,
  tensors: Map<string, FileTensor>,
): Promise<void> {
  const names = paths.map((path) => siblingName(format, path));
  const shards: ByteSource[] = [];
  for (const name of names) shards.push(await sibling(name));
  const bytes = joinedSources(shards);
  let at = 0;
  for (const { name, shape, dtype, quantization } of weights) {
    if (tensors.has(name)) throw fileError(format, `it has two weights named '${name}'`);
    const stored = quantization?.dtype ?? dtype;
    const elementBytes = bytesOfElement(stored);
    if (elementBytes === undefined)
      throw fileError(format, `weight '${name}' has elements of type '${stored}'`, 'Numbers can be read.');
    const count = checkShape(format, name, shape);
    const end = at + count * elementBytes;
    if (end > bytes.length)
      throw fileError(format, `weight '${name}' ends at byte ${end}, but its shards have ${bytes.length}`);
    const begin = at;
    const read = (): Float32Array => {
      const values = toFloat32(bytes.subarray(begin, end), stored, count);
      if (quantization === undefined || quantization.dtype === 'float16') return values;
      const { scale, min } = quantization;
      return values.map((value) => value * scale + min);
    };
    tensors.set(name, { name, shape, dtype: stored, read });
    at = end;
  }
  if (at !== bytes.length)
    throw fileError(format, `${bytes.length - at} bytes of its shards ${paths.join(', ')} belong to no weight`);
}

function outlineOf(config: unknown, tensors: ReadonlyMap<string, FileTensor>): NetworkOutline {
  const network = parseKerasModel(format, config);
  const { owned, strange } = weightsByName(tensors.values(), network.layers);
  if (strange.length > 0)
    throw misfit(
      network.name,
      strange.map(({ name }) => `weight '${name}' belongs to none of its layers`),
    );
  return kerasNetwork(network, (layer) => owned.get(layerKey(layer)) ?? []);
}
