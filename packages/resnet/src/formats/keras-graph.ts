import { FormatError, samePadding, noPadding, type Padding2d } from '@skiplane/core';
import { inputName } from '../layer-graph/layer-graph.ts';
import { type KerasLayer, type KerasNetwork } from './keras-config.ts';
import { isObject, type Json } from './keras-json.ts';
import { RescaledInput } from './keras-preprocessing.ts';
import type { FileTensor, NetworkOutline } from './model-file.ts';
import { misfit, NetworkAssembler, unsupportedLayers, type LaidOut, type Unsupported } from './network-assembler.ts';

/** Weights of a layer, in the order of Keras; empty where it has none. */
export type WeightsOf = (layer: KerasLayer) => readonly FileTensor[];

/** Functions, which Keras 2 and Keras 3 put among the layers when they are called with them. */
const functions: Readonly<Record<string, string>> = {
  '__operators__.add': 'Add',
  'math.add': 'Add',
  'nn.relu': 'ReLU',
  Relu: 'ReLU',
};

/** The class of layers that a layer is of. */
function kindOf({ className, config }: KerasLayer): string {
  const name = className === 'TFOpLambda' ? config['function'] : className;
  return typeof name === 'string' && Object.hasOwn(functions, name) ? (functions[name] ?? name) : className;
}

/** What has no effect when a network is used. */
const identities =
  /^(Identity|Dropout|SpatialDropout2D|GaussianNoise|GaussianDropout|ActivityRegularization|Random(?!Crop)\w+)$/;

interface Context {
  readonly net: NetworkAssembler;
  readonly layer: KerasLayer;
  readonly config: Json;
  readonly inputs: readonly string[];
  /** The next weights of the layer, by role. */
  readonly take: (...roles: readonly string[]) => Record<string, LaidOut>;
}

type Importer = (context: Context) => string;

/**
 * The network of a Keras model's configuration.
 * @param weightsOf  a layer's weights, of which every one is used
 * @throws {FormatError} that lists all layers which cannot be represented, or all weights that do not fit
 */
export function kerasNetwork(network: KerasNetwork, weightsOf: WeightsOf): NetworkOutline {
  const { name, layers, image, output } = network;
  const unsupported = layers.flatMap((layer) => unsupportedPart(layer, weightsOf(layer)));
  if (unsupported.length > 0) throw unsupportedLayers(name, unsupported);
  const net = new NetworkAssembler(name, image);
  const rescaled = new RescaledInput(image);
  const outputs = new Map<string, string>();
  for (const layer of layers) {
    const className = kindOf(layer);
    if (className === 'InputLayer') {
      outputs.set(layer.name, inputName);
      continue;
    }
    const inputs = layer.inputs.map((input) => {
      const before = outputs.get(input);
      if (before === undefined)
        throw misfit(name, [`layer '${layer.name}' reads '${input}', which is no layer before it`]);
      return before;
    });
    const weights = [...weightsOf(layer)];
    const config = layer.config;
    if (className === 'Rescaling' || className === 'Normalization') {
      if (inputs[0] !== inputName)
        throw unsupportedLayers(name, [{ name: layer.name, kind: className, why: 'not at the input' }]);
      rescaled.add(layer, weights);
      outputs.set(layer.name, inputName);
      continue;
    }
    const take: Context['take'] = (...roles) => takeWeights(net, layer, weights, roles);
    const add = importers[className];
    outputs.set(layer.name, add === undefined ? (inputs[0] ?? inputName) : add({ net, layer, config, inputs, take }));
    for (const left of weights.filter((weight) => !weight.name.includes('seed_generator')))
      net.problem(
        `'${left.name}' [${left.shape.join(',')}] of layer '${layer.name}' (${className}) is used by nothing`,
      );
  }
  return net.finish(outputs.get(output) ?? output, rescaled.preprocessing());
}

function takeWeights(net: NetworkAssembler, layer: KerasLayer, weights: FileTensor[], roles: readonly string[]) {
  const taken: Record<string, LaidOut> = {};
  for (const role of roles) {
    const named = weights.findIndex((weight) => roleOf(weight.name) === role);
    const [weight] = weights.splice(named < 0 ? 0 : named, 1);
    if (weight === undefined) net.problem(`layer '${layer.name}' (${layer.className}) has no '${role}' in the file`);
    else taken[role] = weight;
  }
  return taken;
}

/** `kernel` of `conv2d/kernel:0`. */
function roleOf(name: string): string {
  return (name.split('/').at(-1) ?? '').replace(/:\d+$/, '');
}

const importers: Readonly<Record<string, Importer>> = {
  Conv2D({ net, layer, config, inputs, take }) {
    const kernelSize = pairOf(config, 'kernel_size', [1, 1]);
    const strides = pairOf(config, 'strides', [1, 1]);
    const { use_bias: bias = true } = config;
    const { kernel, ...rest } = take(...(bias === false ? ['kernel'] : ['kernel', 'bias']));
    const attrs = {
      filters: Number(config['filters']),
      kernelSize,
      strides,
      padding: paddingOf(net, inputs, config, kernelSize, strides),
      bias: bias !== false,
    };
    const y = net.add('conv2d', layer.name, inputs, attrs, {
      ...rest,
      ...(kernel !== undefined && { filter: kernel }),
    });
    return activated(net, layer, y);
  },
  BatchNormalization({ net, layer, config, inputs, take }) {
    const { scale = true, center = true, epsilon = 1e-3 } = config;
    const channels = net.shape(inputs[0] ?? '').at(-1) ?? 0;
    const constant = (value: number): LaidOut => ({
      shape: [channels],
      read: () => new Float32Array(channels).fill(value),
    });
    const gamma = scale === false ? { gamma: constant(1) } : take('gamma');
    const beta = center === false ? { beta: constant(0) } : take('beta');
    const { moving_mean: mean, moving_variance: variance } = take('moving_mean', 'moving_variance');
    const biasOnly = scale === false && center !== false && Number(epsilon) === 0;
    if (biasOnly && holdsOnly(mean, 0) && holdsOnly(variance, 1))
      return net.add('bias', layer.name, inputs, {}, { ...(beta['beta'] && { bias: beta['beta'] }) });
    const parameters = { ...gamma, ...beta, ...(mean && { mean }), ...(variance && { variance }) };
    return net.add('batchNorm', layer.name, inputs, { epsilon: Number(epsilon) }, parameters);
  },
  Dense({ net, layer, config, inputs, take }) {
    const bias = config['use_bias'] !== false;
    const parameters = take(...(bias ? ['kernel', 'bias'] : ['kernel']));
    const y = net.add('dense', layer.name, inputs, { units: Number(config['units']), bias }, parameters);
    return activated(net, layer, y);
  },
  Activation: ({ net, layer, inputs }) => activated(net, layer, inputs[0] ?? ''),
  ReLU: ({ net, layer, inputs }) => net.add('relu', layer.name, inputs, {}),
  Add: ({ net, layer, inputs }) => net.add('add', layer.name, inputs, {}),
  Concatenate: ({ net, layer, inputs }) => net.add('concat', layer.name, inputs, {}),
  Flatten: ({ net, layer, inputs }) => net.add('flatten', layer.name, inputs, {}),
  Reshape: ({ net, layer, inputs }) => net.add('flatten', layer.name, inputs, {}),
  MaxPooling2D: ({ net, layer, config, inputs }) => net.add('maxPool', layer.name, inputs, poolOf(net, config, inputs)),
  AveragePooling2D: ({ net, layer, config, inputs }) =>
    net.add('averagePool', layer.name, inputs, poolOf(net, config, inputs)),
  GlobalAveragePooling2D({ net, layer, config, inputs }) {
    const pooled = net.add('globalAveragePool', layer.name, inputs, {});
    return config['keepdims'] === true ? pooled : net.add('flatten', `${layer.name}/flatten`, [pooled], {});
  },
  GlobalMaxPooling2D({ net, layer, config, inputs }) {
    const [height = 1, width = 1] = net.shape(inputs[0] ?? '');
    const size = [height, width] as const;
    const pooled = net.add('maxPool', layer.name, inputs, { size, strides: size, padding: noPadding });
    return config['keepdims'] === true ? pooled : net.add('flatten', `${layer.name}/flatten`, [pooled], {});
  },
  ZeroPadding2D({ net, layer, config, inputs }) {
    const [[top, bottom], [left, right]] = zerosOf(config);
    // Images have their channels last all the same: this puts zeros around the channels.
    if (config['data_format'] === 'channels_first')
      return net.add('padChannels', layer.name, inputs, { before: left, after: right });
    return net.add('pad', layer.name, inputs, { padding: { top, bottom, left, right } });
  },
};

function holdsOnly(tensor: LaidOut | undefined, wanted: number): boolean {
  return tensor?.read().every((value) => value === wanted) ?? false;
}

/** Zeros before and behind the two axes that are padded. */
function zerosOf({ padding }: Json): readonly [Pair, Pair] {
  const list: readonly unknown[] = Array.isArray(padding) ? padding : [padding, padding];
  return [oneOrTwo(list[0]), oneOrTwo(list[1])];
}

function oneOrTwo(value: unknown): Pair {
  const [before = 0, after = 0] = Array.isArray(value) ? value.map(Number) : [Number(value), Number(value)];
  return [before, after];
}

/** Softmax belongs to the loss: the network's output are logits. */
function activated(net: NetworkAssembler, { name, className, config }: KerasLayer, x: string): string {
  const activation = activationOf(config);
  if (activation !== 'relu') return x;
  return net.add('relu', className === 'Activation' ? name : `${name}/relu`, [x], {});
}

/** `relu` may be there as a layer or as a function, too; what is more than that keeps its name, which is then not known. */
function activationOf(config: Json): string {
  const { activation = 'linear' } = config;
  if (activation === null) return 'linear';
  if (typeof activation === 'string') return activation;
  if (!isObject(activation)) return 'unknown';
  const { class_name: name, config: own } = activation;
  if (name === 'function' && typeof own === 'string') return own;
  const options = isObject(own) ? own : {};
  if (name === 'ReLU') return ['relu', ...oddRelu(options)].join(' with ');
  if (name === 'Softmax') return 'softmax';
  return name === 'Activation' ? activationOf(options) : String(name);
}

/** What else a ReLU does than cutting at zero. */
function oddRelu(config: Json): readonly string[] {
  return ['max_value', 'negative_slope', 'threshold'].flatMap((key) => {
    const value = config[key] ?? null;
    const plain = value === null || (key !== 'max_value' && ['0', '[0]'].includes(JSON.stringify(value)));
    return plain ? [] : [`${key} ${JSON.stringify(value)}`];
  });
}

function poolOf(net: NetworkAssembler, config: Json, inputs: readonly string[]) {
  const size = pairOf(config, 'pool_size', [2, 2]);
  const strides = pairOf(config, 'strides', size);
  return { size, strides, padding: paddingOf(net, inputs, config, size, strides) };
}

type Pair = readonly [number, number];

function paddingOf(
  net: NetworkAssembler,
  [x = '']: readonly string[],
  { padding = 'valid' }: Json,
  window: Pair,
  strides: Pair,
): Padding2d {
  if (padding !== 'same') return noPadding;
  const [height = 1, width = 1] = net.shape(x);
  return samePadding([height, width], window, strides);
}

function pairOf(config: Json, key: string, fallback: Pair): Pair {
  const value = config[key] ?? fallback;
  const [a, b] = Array.isArray(value) ? (value as unknown[]).map(Number) : [Number(value), Number(value)];
  if (a === undefined || b === undefined || !(Number.isInteger(a) && Number.isInteger(b)) || a < 1 || b < 1) {
    throw new FormatError(
      `a layer's '${key}' is ${JSON.stringify(value)}, where one or two whole numbers from 1 up are needed.`,
    );
  }
  return [a, b];
}

/** What of a layer cannot be represented: nothing, or all the reasons. */
function unsupportedPart(layer: KerasLayer, weights: readonly FileTensor[]): readonly Unsupported[] {
  const { name, config } = layer;
  const className = kindOf(layer);
  const known =
    className === 'InputLayer' || className === 'Softmax' || className === 'Rescaling' || className === 'Normalization';
  if (!known && !Object.hasOwn(importers, className) && !identities.test(className)) return [{ name, kind: className }];
  const odd: string[] = [];
  const expect = (key: string, ...allowed: readonly unknown[]): void => {
    const value = config[key];
    if (value !== undefined && !allowed.some((item) => JSON.stringify(item) === JSON.stringify(value)))
      odd.push(`${key} ${JSON.stringify(value)}`);
  };
  const zeros = className === 'ZeroPadding2D' ? zerosOf(config)[0].join() : '';
  expect('data_format', 'channels_last', null, ...(zeros === '0,0' ? ['channels_first'] : []));
  if (className === 'Conv2D') {
    expect('padding', 'same', 'valid');
    expect('dilation_rate', 1, [1, 1]);
    expect('groups', 1);
  }
  if (className === 'BatchNormalization') expect('axis', -1, 3, [3], [-1]);
  if (className === 'Concatenate') expect('axis', -1, 3);
  if (className === 'ReLU') odd.push(...oddRelu(config));
  // To one axis: nothing else than flattening has the same number of elements.
  if (className === 'Reshape' && !(Array.isArray(config['target_shape']) && config['target_shape'].length === 1))
    odd.push(`target_shape ${JSON.stringify(config['target_shape'])}`);
  if (className === 'Normalization') expect('invert', false);
  const activation = activationOf(config);
  if (!['linear', 'relu', 'softmax'].includes(activation)) odd.push(`activation '${activation}'`);
  // A softmax anywhere but at the end would be lost.
  if ((activation === 'softmax' || className === 'Softmax') && !layer.last)
    odd.push('a softmax that is not the last layer');
  if (layer.calls > 1 && weights.length > 0) odd.push(`its weights are used ${layer.calls} times`);
  return odd.length === 0 ? [] : [{ name, kind: className, why: odd.join(', ') }];
}
