import { noPadding, samePadding, type Padding2d } from '@skiplane/core';
import { inferenceGraph } from '../graphs/inference.ts';
import { parameterSpecs } from '../initial-parameters.ts';
import { layerGraphOf } from '../layer-graph/layer-graph-of.ts';
import { inputName, type LayerGraph, type LayerKind, type LayerNode } from '../layer-graph/layer-graph.ts';
import type { Model } from '../model.ts';
import type { ParameterSpec, Parameters } from '../parameters.ts';
import { unwritableLayers, type Unsupported } from './network-assembler.ts';
import { refuseInt8 } from './refuse-int8.ts';

/** A weight of a layer, in the order of Keras. */
interface KerasWeight {
  /** Such as `kernel`. */
  readonly role: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
  /** The parameter here; null for what Keras needs besides. */
  readonly parameter: string | null;
  readonly trainable: boolean;
}

/** A layer to be written. */
export interface OutLayer {
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: readonly string[];
  /** Of its output, without the batch. */
  readonly shape: readonly number[];
  readonly weights: readonly KerasWeight[];
}

export interface KerasLayersOptions {
  /** What the errors call the format. */
  readonly format: string;
  /** TensorFlow.js has no global average that keeps its axes. */
  readonly keepsDims: boolean;
  /** Of batch norms in training. */
  readonly momentum?: number | undefined;
  /** Parameters with their L2 penalties (default: none). */
  readonly penalties?: ReadonlyMap<string, number>;
}

/**
 * A network as layers of Keras that compute the same bits in the same order of operations. Names are those of the layers, with
 * dots for what Keras does not allow.
 * @throws {FormatError} that lists all layers which Keras has not
 */
export function kerasLayers(model: Model, parameters: Parameters, options: KerasLayersOptions): readonly OutLayer[] {
  const graph = layerGraphOf(model);
  return new LayerWriter(graph, parameters, options).layers();
}

interface Part {
  readonly className: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly weights?: readonly KerasWeight[];
}

class LayerWriter {
  readonly #graph: LayerGraph;
  readonly #parameters: Parameters;
  readonly #options: KerasLayersOptions;
  readonly #specs: ReadonlyMap<string, ParameterSpec>;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  readonly #byName: ReadonlyMap<string, LayerNode>;
  readonly #names = new Map<string, string>();
  readonly #used = new Set<string>();
  readonly #out: OutLayer[] = [];

  constructor(graph: LayerGraph, parameters: Parameters, options: KerasLayersOptions) {
    this.#graph = graph;
    this.#parameters = parameters;
    this.#options = options;
    this.#specs = new Map(parameterSpecs(graph).map((spec) => [spec.name, spec]));
    const { layers } = inferenceGraph(graph, { batch: 1 });
    this.#shapes = new Map([
      [inputName, [...graph.imageSize, graph.channels]],
      ...layers.map(({ name, outputShape }) => [name, outputShape] as const),
    ]);
    this.#byName = new Map(graph.layers.map((layer) => [layer.name, layer]));
  }

  layers(): readonly OutLayer[] {
    const unsupported = this.#graph.layers.flatMap((layer) => this.#unsupported(layer));
    if (unsupported.length > 0) throw unwritableLayers(this.#options.format, this.#graph.name, unsupported);
    const input = this.#unique(inputName);
    this.#names.set(inputName, input);
    this.#add(input, [], this.#shape([inputName]), { className: 'InputLayer' });
    for (const layer of this.#graph.layers) this.#layer(layer);
    return this.#out;
  }

  #unsupported(layer: LayerNode): readonly Unsupported[] {
    const { name, kind } = layer;
    if (kind === 'maxPool' && this.#padding(layer) === 'zeros' && !this.#hidesZeros(layer))
      return [{ name, kind, why: 'its padding, neither SAME nor behind a ReLU' }];
    if (kind === 'averagePool' && this.#padding(layer) === 'zeros')
      return [{ name, kind, why: 'its padding, which the mean leaves out, and which is not SAME' }];
    return [];
  }

  /** Whether zeros around a pool's images change no maximum. */
  #hidesZeros({ inputs, attrs: { padding, size } }: LayerNode<'maxPool'>): boolean {
    const { top, bottom, left, right } = padding;
    const behindRelu = this.#byName.get(inputs[0] ?? '')?.kind === 'relu';
    return behindRelu && Math.max(top, bottom) < size[0] && Math.max(left, right) < size[1];
  }

  #layer(layer: LayerNode): void {
    const name = this.#unique(layer.name.replaceAll(/[^\w.-]+/g, '.').replace(/^[^A-Za-z0-9]+/, '') || 'layer');
    let inputs = layer.inputs.map((input) => this.#names.get(input) ?? input);
    if ((layer.kind === 'conv2d' || layer.kind === 'maxPool') && this.#padding(layer) === 'zeros') {
      const pad = this.#unique(`${name}.pad`);
      const { top, bottom, left, right } = layer.attrs.padding;
      const [height = 0, width = 0, ...channels] = this.#shape(layer.inputs);
      const shape = [height + top + bottom, width + left + right, ...channels];
      this.#add(pad, inputs, shape, zeroPadding(layer.attrs.padding));
      inputs = [pad];
    }
    this.#names.set(layer.name, name);
    this.#add(name, inputs, this.#shape([layer.name]), this.#part(layer));
  }

  #add(
    name: string,
    inputs: readonly string[],
    shape: readonly number[],
    { className, config = {}, weights = [] }: Part,
  ): void {
    this.#out.push({ name, className, config: { name, ...config }, inputs, shape, weights });
  }

  #part<K extends LayerKind>(layer: LayerNode<K>): Part {
    return (this.#parts[layer.kind] as (layer: LayerNode<K>) => Part)(layer);
  }

  readonly #parts: { readonly [K in LayerKind]: (layer: LayerNode<K>) => Part } = {
    conv2d: (layer) => {
      const { filters, kernelSize, strides, bias } = layer.attrs;
      const same = this.#padding(layer) === 'same';
      const config = { filters, kernel_size: kernelSize, strides, padding: same ? 'same' : 'valid', use_bias: bias };
      return {
        className: 'Conv2D',
        config: { ...config, ...this.#penalty(`${layer.name}/filter`) },
        weights: this.#weights(layer.name, { kernel: 'filter', ...(bias && { bias: 'bias' }) }),
      };
    },
    dense: ({ name, attrs: { units, bias } }) => ({
      className: 'Dense',
      config: { units, use_bias: bias, ...this.#penalty(`${name}/kernel`) },
      weights: this.#weights(name, { kernel: 'kernel', ...(bias && { bias: 'bias' }) }),
    }),
    batchNorm: ({ name, attrs: { epsilon } }) => ({
      className: 'BatchNormalization',
      config: { axis: -1, epsilon, momentum: this.#options.momentum ?? 0.99 },
      weights: this.#weights(name, { gamma: 'gamma', beta: 'beta', moving_mean: 'mean', moving_variance: 'variance' }),
    }),
    // (x − 0)/√(1 + 0) + beta is x + beta to the last bit.
    bias: ({ name }) => ({
      className: 'BatchNormalization',
      config: { axis: -1, epsilon: 0, scale: false, trainable: false },
      weights: this.#biasWeights(name),
    }),
    relu: () => ({ className: 'Activation', config: { activation: 'relu' } }),
    add: () => ({ className: 'Add' }),
    concat: () => ({ className: 'Concatenate', config: { axis: -1 } }),
    flatten: () => ({ className: 'Flatten' }),
    maxPool: (layer) => ({ className: 'MaxPooling2D', config: this.#pool(layer) }),
    averagePool: (layer) => ({ className: 'AveragePooling2D', config: this.#pool(layer) }),
    globalAveragePool: ({ inputs }) => {
      if (this.#options.keepsDims) return { className: 'GlobalAveragePooling2D', config: { keepdims: true } };
      const [height = 1, width = 1] = this.#shape(inputs);
      return { className: 'AveragePooling2D', config: { pool_size: [height, width], padding: 'valid' } };
    },
    quantize: refuseInt8,
    dequantize: refuseInt8,
    quantizedConv2d: refuseInt8,
    pad: ({ attrs: { padding } }) => zeroPadding(padding),
    // Told that the channels come first, the layer pads the last two axes: of images here, width and channels.
    padChannels: ({ attrs: { before, after } }) => ({
      className: 'ZeroPadding2D',
      config: {
        padding: [
          [0, 0],
          [before, after],
        ],
        data_format: 'channels_first',
      },
    }),
    subsample: ({ attrs: { strides } }) => ({
      className: 'AveragePooling2D',
      config: { pool_size: [1, 1], strides, padding: 'valid' },
    }),
  };

  #pool(layer: LayerNode<'maxPool' | 'averagePool'>): Readonly<Record<string, unknown>> {
    const { size, strides } = layer.attrs;
    return { pool_size: size, strides, padding: this.#padding(layer) === 'same' ? 'same' : 'valid' };
  }

  #padding({ inputs, kind, attrs }: LayerNode<'conv2d' | 'maxPool' | 'averagePool'>): 'none' | 'same' | 'zeros' {
    const window = kind === 'conv2d' ? attrs.kernelSize : attrs.size;
    if (samePads(attrs.padding, noPadding)) return 'none';
    const [height = 1, width = 1] = this.#shape(inputs);
    return samePads(attrs.padding, samePadding([height, width], window, attrs.strides)) ? 'same' : 'zeros';
  }

  #shape([input = '']: readonly string[]): readonly number[] {
    return this.#shapes.get(input) ?? [];
  }

  #weights(layer: string, roles: Readonly<Record<string, string>>): readonly KerasWeight[] {
    return Object.entries(roles).map(([role, own]) => {
      const parameter = `${layer}/${own}`;
      const { shape = [], trainable = true } = this.#specs.get(parameter) ?? {};
      return { role, shape, trainable, parameter, data: this.#parameters.get(parameter) ?? new Float32Array(0) };
    });
  }

  #biasWeights(layer: string): readonly KerasWeight[] {
    const [beta] = this.#weights(layer, { beta: 'bias' });
    if (beta === undefined) return [];
    const constant = (role: string, value: number): KerasWeight => ({
      ...beta,
      role,
      parameter: null,
      data: new Float32Array(beta.data.length).fill(value),
    });
    const all = [beta, constant('moving_mean', 0), constant('moving_variance', 1)];
    return all.map((weight) => ({ ...weight, trainable: false }));
  }

  #penalty(parameter: string): Readonly<Record<string, unknown>> {
    const l2 = this.#options.penalties?.get(parameter) ?? 0;
    return l2 === 0 ? {} : { kernel_regularizer: { module: 'keras.regularizers', class_name: 'L2', config: { l2 } } };
  }

  #unique(name: string): string {
    let unique = name;
    for (let n = 1; this.#used.has(unique); n++) unique = `${name}_${n}`;
    this.#used.add(unique);
    return unique;
  }
}

function zeroPadding({ top, bottom, left, right }: Padding2d): Part {
  return {
    className: 'ZeroPadding2D',
    config: {
      padding: [
        [top, bottom],
        [left, right],
      ],
    },
  };
}

function samePads(a: Padding2d, b: Padding2d): boolean {
  return a.top === b.top && a.bottom === b.bottom && a.left === b.left && a.right === b.right;
}
