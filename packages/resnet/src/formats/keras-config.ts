import { callName, endpoints, historyOf } from './keras-calls.ts';
import { isObject, type Json } from './keras-json.ts';
import { fileError } from './model-file.ts';

/** A layer as a Keras configuration has it; one that is called several times is there for every call. */
export interface KerasLayer {
  /** Unique: with the models in front that it lies in, and the number of its call behind. */
  readonly name: string;
  /** The models that it lies in, from the outside, and its own name. */
  readonly path: readonly string[];
  /** Such as `Conv2D`. */
  readonly className: string;
  readonly config: Json;
  /** Names of the layers before it. */
  readonly inputs: readonly string[];
  /** How often it is used. */
  readonly calls: number;
  /** Whether it gives the network's output. */
  readonly last: boolean;
}

/** A layer in the order of the file; a model among the layers has its own. */
export interface ListedLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Json;
  readonly listed?: readonly ListedLayer[] | undefined;
}

export interface KerasNetwork {
  readonly name: string;
  /** In an order in which they can run; models among the layers are taken apart. */
  readonly layers: readonly KerasLayer[];
  /** All layers, those that reach no output, too. */
  readonly listed: readonly ListedLayer[];
  readonly image: readonly [height: number, width: number, channels: number];
  readonly output: string;
}

const maxLayers = 20_000;
const maxDepth = 16;

/**
 * A Sequential or functional model out of the configuration that Keras 2, Keras 3 or TensorFlow.js wrote.
 * @throws {FormatError} when it is neither, or has several inputs or outputs
 */
export function parseKerasModel(format: string, json: unknown): KerasNetwork {
  if (!isObject(json) || typeof json['class_name'] !== 'string')
    throw fileError(format, 'its model configuration is none');
  const className = json['class_name'];
  if (!isModel(className)) {
    throw fileError(
      format,
      `its model is of the class '${className}'`,
      'Only Sequential and functional models say what they compute.',
    );
  }
  const config = modelConfigOf(json);
  if (!Array.isArray(config['layers'])) throw fileError(format, 'its model configuration has no layers');
  const count = { left: maxLayers };
  const listed = rawLayers(format, config, count, 0);
  const name = typeof config['name'] === 'string' ? config['name'] : className.toLowerCase();
  const { layers, output } = networkOf(format, className, listed, config);
  const shapes = [config['build_input_shape'], buildShape(json)];
  return { name, layers, output, listed, image: imageOf(format, listed, shapes) };
}

function isModel(className: string): boolean {
  return ['Sequential', 'Functional', 'Model'].includes(className);
}

/** Early Keras wrote the layers of a Sequential model as a bare list. */
function modelConfigOf({ config }: Json): Json {
  return Array.isArray(config) ? { layers: config } : isObject(config) ? config : {};
}

interface RawLayer extends ListedLayer {
  readonly nodes: readonly unknown[];
  readonly listed?: readonly RawLayer[] | undefined;
}

function rawLayers(format: string, { layers }: Json, count: { left: number }, depth: number): readonly RawLayer[] {
  const raw = Array.isArray(layers) ? (layers as readonly unknown[]) : [];
  count.left -= raw.length;
  if (raw.length === 0 || count.left < 0) throw fileError(format, `its model has ${raw.length} layers`);
  if (depth > maxDepth) throw fileError(format, `its models lie in each other more than ${maxDepth} deep`);
  return raw.map((json) => {
    if (!isObject(json) || typeof json['class_name'] !== 'string')
      throw fileError(format, 'a layer of its model has no class');
    const { class_name: className } = json;
    const config = modelConfigOf(json);
    const name = json['name'] ?? config['name'];
    if (typeof name !== 'string') throw fileError(format, `a layer (${className}) of its model has no name`);
    const nodes = Array.isArray(json['inbound_nodes']) ? (json['inbound_nodes'] as unknown[]) : [];
    const listed = isModel(className) ? rawLayers(format, config, count, depth + 1) : undefined;
    return { name, className, config, nodes, listed };
  });
}

type Wired = Pick<KerasNetwork, 'layers' | 'output'>;

function networkOf(format: string, className: string, raw: readonly RawLayer[], config: Json): Wired {
  const { layers, output } = className === 'Sequential' ? sequential(raw) : functional(format, raw, config);
  const models = new Map<string, Wired>();
  for (const { name, className: kind, listed, config: own } of raw)
    if (listed !== undefined) models.set(name, networkOf(format, kind, listed, own));
  const flat: KerasLayer[] = [];
  for (const layer of layers) {
    const model = models.get(layer.path[0] ?? '');
    flat.push(...(model === undefined ? [layer] : takenApart(layer, model)));
    if (flat.length > maxLayers) throw fileError(format, `its model has more than ${maxLayers} layers`);
  }
  return { layers: flat, output };
}

/** The layers of a model that is a layer of another. */
function takenApart(model: KerasLayer, { layers, output }: Wired): readonly KerasLayer[] {
  const inner = layers.map((layer): KerasLayer => {
    const [name, path] = [`${model.name}/${layer.name}`, [...model.path, ...layer.path]];
    const [calls, last] = [layer.calls * model.calls, layer.last && model.last];
    if (layer.className === 'InputLayer') return { ...passing, name, path, inputs: model.inputs, calls, last: false };
    return { ...layer, name, path, inputs: layer.inputs.map((input) => `${model.name}/${input}`), calls, last };
  });
  return [...inner, { ...model, ...passing, inputs: [`${model.name}/${output}`] }];
}

const passing = { className: 'Identity', config: {} } as const;

function sequential(raw: readonly RawLayer[]): Wired {
  const layers: KerasLayer[] = [];
  let before = 'keras input';
  if (raw[0]?.className !== 'InputLayer')
    layers.push({
      name: before,
      path: [before],
      className: 'InputLayer',
      config: {},
      inputs: [],
      calls: 1,
      last: false,
    });
  raw.forEach(({ name, className, config }, index) => {
    const inputs = className === 'InputLayer' ? [] : [before];
    layers.push({ name, path: [name], className, config, inputs, calls: 1, last: index === raw.length - 1 });
    before = name;
  });
  return { layers, output: before };
}

function functional(format: string, raw: readonly RawLayer[], config: Json): Wired {
  const outputs = endpoints(config['output_layers']);
  const [output] = outputs;
  const inputs = raw.filter(({ className }) => className === 'InputLayer');
  if (outputs.length !== 1 || output === undefined || inputs.length !== 1) {
    throw fileError(
      format,
      `its model has ${inputs.length} inputs and ${outputs.length} outputs`,
      'Only networks with one of each can be used.',
    );
  }
  const layers = raw.flatMap(({ name: own, className, config: options, nodes }) =>
    (nodes.length === 0 ? [[]] : nodes).map((node, call): KerasLayer => {
      const name = callName(own, call);
      const calls = Math.max(nodes.length, 1);
      return { name, path: [own], className, config: options, inputs: historyOf(node), calls, last: name === output };
    }),
  );
  const fromZero = modelCalls(raw, layers);
  const wired = layers.map((layer) => ({
    ...layer,
    inputs: layer.inputs.map((input) => fromZero.get(input) ?? input),
  }));
  return { layers: inOrder(format, wired, output), output };
}

/** Keras 2 counts the calls of a model among the layers from 1: their names from 0. */
function modelCalls(raw: readonly RawLayer[], layers: readonly KerasLayer[]): ReadonlyMap<string, string> {
  const read = new Set(layers.flatMap(({ inputs }) => inputs));
  const counted = raw.filter(
    ({ name, listed, nodes }) => listed !== undefined && read.has(callName(name, nodes.length)),
  );
  return new Map(
    counted.flatMap(({ name, nodes }) => nodes.map((_, call) => [callName(name, call + 1), callName(name, call)])),
  );
}

/** Depth first from the output, so that every layer stands behind those that it reads; without recursion. */
function inOrder(format: string, layers: readonly KerasLayer[], output: string): readonly KerasLayer[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  if (byName.size < layers.length) throw fileError(format, 'two layers of its model have one name');
  const sorted = new Set<KerasLayer>();
  const open = new Set<string>();
  const stack = [output];
  while (stack.length > 0) {
    const name = stack.at(-1) ?? '';
    const layer = byName.get(name);
    if (layer === undefined)
      throw fileError(format, `its model mentions the layer '${name}', but has none of the name`);
    const missing = layer.inputs.filter((input) => !sorted.has(byName.get(input) ?? layer));
    if (missing.length === 0) {
      sorted.add(layer);
      open.delete(name);
      stack.pop();
    } else {
      if (open.has(name)) throw fileError(format, `layer '${name}' of its model depends on itself`);
      open.add(name);
      stack.push(...missing);
    }
  }
  return [...sorted];
}

function buildShape(json: Json): unknown {
  return isObject(json['build_config']) ? json['build_config']['input_shape'] : undefined;
}

/** [height, width, channels] of the input, which the first layer says, or the model. */
function imageOf(format: string, layers: readonly ListedLayer[], more: readonly unknown[]): KerasNetwork['image'] {
  const shape = [inputShape(layers), ...more].find(Array.isArray) as readonly unknown[] | undefined;
  const [, ...image] = shape ?? [];
  const [height, width, channels] = image;
  if (image.length !== 3 || typeof height !== 'number' || typeof width !== 'number' || typeof channels !== 'number') {
    throw fileError(
      format,
      `its model takes an input of the shape ${JSON.stringify(shape ?? null)}`,
      'Only images [batch, height, width, channels] of fixed size can be used.',
    );
  }
  return [height, width, channels];
}

/** Of the first layer, or of its first one where it is a model. */
function inputShape(layers: readonly ListedLayer[]): unknown {
  const first = layers.find(({ className }) => className === 'InputLayer') ?? layers[0];
  const { batch_shape: shape, batch_input_shape: legacy, build_input_shape: built } = first?.config ?? {};
  return shape ?? legacy ?? built ?? (first?.listed === undefined ? undefined : inputShape(first.listed));
}
