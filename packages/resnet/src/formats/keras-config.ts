import { fileError } from './model-file.ts';

/** A layer as a Keras configuration has it. */
export interface KerasLayer {
  readonly name: string;
  /** Such as `Conv2D`. */
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Names of the layers before it. */
  readonly inputs: readonly string[];
  /** How often it is used. */
  readonly calls: number;
  /** Whether it gives the network's output, or only layers without effect follow. */
  readonly last: boolean;
}

export interface KerasNetwork {
  readonly name: string;
  /** In an order in which they can run. */
  readonly layers: readonly KerasLayer[];
  /** All layers in the order of the file, those that reach no output, too. */
  readonly listed: readonly Pick<KerasLayer, 'name' | 'className' | 'config'>[];
  readonly image: readonly [height: number, width: number, channels: number];
  readonly output: string;
}

type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const maxLayers = 20_000;

/**
 * A Sequential or functional model out of the configuration that Keras 2, Keras 3 or TensorFlow.js wrote.
 * @throws {FormatError} when it is neither, or has several inputs or outputs
 */
export function parseKerasModel(format: string, json: unknown): KerasNetwork {
  if (!isObject(json) || typeof json['class_name'] !== 'string')
    throw fileError(format, 'its model configuration is none');
  const className = json['class_name'];
  // Early Keras wrote the layers of a Sequential model as a bare list.
  const config: Json = Array.isArray(json['config'])
    ? { layers: json['config'] }
    : isObject(json['config'])
      ? json['config']
      : {};
  if (!['Sequential', 'Functional', 'Model'].includes(className)) {
    throw fileError(
      format,
      `its model is of the class '${className}'`,
      'Only Sequential and functional models say what they compute.',
    );
  }
  if (!Array.isArray(config['layers'])) throw fileError(format, 'its model configuration has no layers');
  const raw = config['layers'] as readonly unknown[];
  if (raw.length === 0 || raw.length > maxLayers) throw fileError(format, `its model has ${raw.length} layers`);
  const layers = raw.map((layer) => rawLayer(format, layer));
  const network = className === 'Sequential' ? sequential(layers) : functional(format, layers, config);
  const name = typeof config['name'] === 'string' ? config['name'] : className.toLowerCase();
  return {
    name,
    ...network,
    listed: layers,
    image: imageOf(format, layers, [config['build_input_shape'], buildShape(json)]),
  };
}

interface RawLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Json;
  readonly nodes: readonly unknown[];
}

function rawLayer(format: string, json: unknown): RawLayer {
  if (!isObject(json) || typeof json['class_name'] !== 'string')
    throw fileError(format, 'a layer of its model has no class');
  const config = isObject(json['config']) ? json['config'] : {};
  const name = json['name'] ?? config['name'];
  if (typeof name !== 'string') throw fileError(format, `a layer (${json['class_name']}) of its model has no name`);
  const nodes = Array.isArray(json['inbound_nodes']) ? (json['inbound_nodes'] as unknown[]) : [];
  return { name, className: json['class_name'], config, nodes };
}

function sequential(raw: readonly RawLayer[]): Pick<KerasNetwork, 'layers' | 'output'> {
  const layers: KerasLayer[] = [];
  let before = 'keras input';
  if (raw[0]?.className !== 'InputLayer') layers.push({ ...inputLayer, name: before });
  raw.forEach(({ name, className, config }, index) => {
    const inputs = className === 'InputLayer' ? [] : [before];
    layers.push({ name, className, config, inputs, calls: 1, last: index === raw.length - 1 });
    before = name;
  });
  return { layers, output: before };
}

const inputLayer = { className: 'InputLayer', config: {}, inputs: [], calls: 1, last: false } as const;

function functional(format: string, raw: readonly RawLayer[], config: Json): Pick<KerasNetwork, 'layers' | 'output'> {
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
  const layers = raw.map(({ name, className, config: own, nodes }): KerasLayer => ({
    name,
    className,
    config: own,
    inputs: nodes.length === 0 ? [] : historyOf(nodes[0]),
    calls: Math.max(nodes.length, 1),
    last: name === output,
  }));
  return { layers: inOrder(format, layers, output), output };
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

/** Layers that a call reads: `["conv2d",0,0,{}]` lists of Keras 2, `keras_history` of Keras 3. */
function historyOf(node: unknown): readonly string[] {
  const found: string[] = [];
  const visit = (value: unknown, depth: number): void => {
    if (depth > 16) return;
    if (Array.isArray(value)) {
      if (typeof value[0] === 'string' && typeof value[1] === 'number') found.push(value[0]);
      else value.forEach((item) => visit(item, depth + 1));
    } else if (isObject(value)) {
      if ('keras_history' in value) visit(value['keras_history'], depth + 1);
      else for (const key of ['args', 'config']) if (key in value) visit(value[key], depth + 1);
    }
  };
  visit(node, 0);
  return found;
}

/** `["dense",0,0]`, or a list of such. */
function endpoints(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  const list = value as readonly unknown[];
  if (typeof list[0] === 'string') return [list[0]];
  return list.flatMap((item) => (Array.isArray(item) && typeof item[0] === 'string' ? [item[0]] : []));
}

function buildShape(json: Json): unknown {
  return isObject(json['build_config']) ? json['build_config']['input_shape'] : undefined;
}

/** [height, width, channels] of the input, which the first layer says, or the model. */
function imageOf(format: string, layers: readonly RawLayer[], more: readonly unknown[]): KerasNetwork['image'] {
  const first = layers.find(({ className }) => className === 'InputLayer') ?? layers[0];
  const shapes = [first?.config['batch_shape'], first?.config['batch_input_shape'], ...more];
  const shape = shapes.find(Array.isArray) as readonly unknown[] | undefined;
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
