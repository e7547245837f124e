import { inferenceGraph } from '../graphs/inference.ts';
import { layerGraphOf } from '../layer-graph/layer-graph-of.ts';
import { inputName, type LayerGraph, type LayerKind, type LayerNode } from '../layer-graph/layer-graph.ts';
import { parameterSpecs } from '../initial-parameters.ts';
import type { Model } from '../model.ts';
import type { Parameters } from '../parameters.ts';
import { littleEndian } from './hdf5-encoder.ts';
import type { LaidOut } from './network-assembler.ts';
import { encodeOnnx, type OnnxModelText } from './onnx-schema.ts';
import { ownKey } from './own-key.ts';
import { filterToOihw } from './transpose.ts';
import { refuseInt8 } from './refuse-int8.ts';

/** Of opset 13; onnxruntime has it since 1.6. */
const opset = 13;
const irVersion = 7;

/**
 * A network as ONNX, its images NCHW as is usual there: [batch, channels, height, width], the batch of any size. Its output
 * are logits. Layers are nodes of the same names.
 */
export function encodeOnnxModel(model: Model, parameters: Parameters, metadata: string): Uint8Array {
  const graph = layerGraphOf(model);
  const writer = new OnnxWriter(graph, parameters);
  for (const layer of graph.layers) writer.layer(layer);
  const [height, width] = graph.imageSize;
  return encodeOnnx({
    irVersion,
    producerName: 'skiplane',
    opsetImport: [{ domain: '', version: opset }],
    graph: {
      name: graph.name,
      node: writer.nodes,
      initializer: writer.initializers,
      input: [valueInfo(inputName, [graph.channels, height, width])],
      output: [valueInfo(graph.output, [graph.classes])],
    },
    metadataProps: [{ key: ownKey, value: metadata }],
  });
}

type Attributes = Readonly<Record<string, number | readonly number[]>>;

/** Attributes that are floats, not whole numbers. */
const floats = new Set(['epsilon']);

class OnnxWriter {
  readonly nodes: OnnxModelText['graph']['node'] = [];
  readonly initializers: OnnxModelText['graph']['initializer'] = [];
  readonly #parameters: Parameters;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  /** Sizes of the layers' outputs, without the batch: [height, width, channels] or [features]. */
  readonly #outputs: ReadonlyMap<string, readonly number[]>;
  readonly #names: Set<string>;

  constructor(graph: LayerGraph, parameters: Parameters) {
    this.#parameters = parameters;
    this.#shapes = new Map(parameterSpecs(graph).map(({ name, shape }) => [name, shape]));
    const { layers } = inferenceGraph(graph, { batch: 1 });
    this.#outputs = new Map([
      [inputName, [...graph.imageSize, graph.channels]],
      ...layers.map(({ name, outputShape }) => [name, outputShape] as const),
    ]);
    this.#names = new Set([inputName, ...graph.layers.map(({ name }) => name)]);
  }

  layer<K extends LayerKind>(layer: LayerNode<K>): void {
    (this.#writers[layer.kind] as (layer: LayerNode<K>) => void)(layer);
  }

  readonly #writers: { readonly [K in LayerKind]: (layer: LayerNode<K>) => void } = {
    conv2d: ({ name, inputs, attrs: { kernelSize, strides, padding, bias } }) => {
      const operands = [this.#tensor(`${name}/filter`, filterToOihw), ...(bias ? [this.#tensor(`${name}/bias`)] : [])];
      this.#node('Conv', name, [...inputs, ...operands], { kernel_shape: kernelSize, strides, pads: padsOf(padding) });
    },
    bias: ({ name, inputs }) => {
      const image = this.#rank(inputs) === 3;
      const bias = this.#tensor(`${name}/bias`, ({ shape, read }) => ({
        shape: image ? [...shape, 1, 1] : shape,
        read,
      }));
      this.#node('Add', name, [...inputs, bias]);
    },
    batchNorm: ({ name, inputs, attrs: { epsilon } }) => {
      const operands = ['gamma', 'beta', 'mean', 'variance'].map((role) => this.#tensor(`${name}/${role}`));
      this.#node('BatchNormalization', name, [...inputs, ...operands], { epsilon });
    },
    relu: ({ name, inputs }) => this.#node('Relu', name, inputs),
    add: ({ name, inputs: [first = '', ...rest] }) => {
      let sum = first;
      rest.forEach((input, i) => {
        const own = i === rest.length - 1 ? name : this.#unique(`${name}/${i}`);
        this.#node('Add', own, [sum, input]);
        sum = own;
      });
    },
    maxPool: ({ name, inputs, attrs: { size, strides, padding } }) =>
      this.#node('MaxPool', name, inputs, { kernel_shape: size, strides, pads: padsOf(padding) }),
    averagePool: ({ name, inputs, attrs: { size, strides, padding } }) =>
      this.#node('AveragePool', name, inputs, { kernel_shape: size, strides, pads: padsOf(padding) }),
    globalAveragePool: ({ name, inputs }) => this.#node('GlobalAveragePool', name, inputs),
    dense: ({ name, inputs, attrs: { bias } }) => {
      const kernel = this.#tensor(`${name}/kernel`);
      if (bias) this.#node('Gemm', name, [...inputs, kernel, this.#tensor(`${name}/bias`)]);
      else this.#node('MatMul', name, [...inputs, kernel]);
    },
    flatten: ({ name, inputs }) => {
      const [height = 1, width = 1] = this.#rank(inputs) === 3 ? this.#shapeOf(inputs) : [];
      let flat = inputs;
      // Pixel by pixel, as the kernel behind it expects; one pixel is in order already.
      if (height * width > 1) {
        flat = [this.#unique(`${name}/nhwc`)];
        this.#node('Transpose', flat[0] ?? '', inputs, { perm: [0, 2, 3, 1] });
      }
      this.#node('Flatten', name, flat);
    },
    pad: ({ name, inputs, attrs: { padding } }) => {
      const { top, bottom, left, right } = padding;
      this.#node('Pad', name, [...inputs, this.#list(`${name}/pads`, [0, 0, top, left, 0, 0, bottom, right])]);
    },
    padChannels: ({ name, inputs, attrs: { before, after } }) =>
      this.#node('Pad', name, [...inputs, this.#list(`${name}/pads`, [0, before, 0, 0, 0, after, 0, 0])]),
    subsample: ({ name, inputs, attrs: { strides } }) => {
      const lists = { starts: [0, 0], ends: [2 ** 31 - 1, 2 ** 31 - 1], axes: [2, 3], steps: strides };
      const operands = Object.entries(lists).map(([key, values]) => this.#list(`${name}/${key}`, values));
      this.#node('Slice', name, [...inputs, ...operands]);
    },
    quantize: refuseInt8,
    dequantize: refuseInt8,
    quantizedConv2d: refuseInt8,
    concat: ({ name, inputs }) => this.#node('Concat', name, inputs, { axis: 1 }),
  };

  #node(opType: string, name: string, input: readonly string[], attrs: Attributes = {}): void {
    const attribute = Object.entries(attrs).map(([key, value]) => {
      if (typeof value !== 'number') return { name: key, ints: value, type: 7 };
      return floats.has(key) ? { name: key, f: value, type: 1 } : { name: key, i: value, type: 2 };
    });
    this.nodes.push({ opType, name, input, output: [name], attribute });
  }

  #tensor(parameter: string, lay: (tensor: LaidOut) => LaidOut = (tensor) => tensor): string {
    const shape = this.#shapes.get(parameter) ?? [];
    const { shape: dims, read } = lay({ shape, read: () => this.#parameters.get(parameter) ?? new Float32Array(0) });
    const name = this.#unique(parameter);
    this.initializers.push({ name, dims, dataType: 1, rawData: littleEndian(read()) });
    return name;
  }

  /** A list of int64. */
  #list(wanted: string, values: readonly number[]): string {
    const name = this.#unique(wanted);
    const bytes = new Uint8Array(8 * values.length);
    const view = new DataView(bytes.buffer);
    values.forEach((value, i) => view.setBigInt64(8 * i, BigInt(value), true));
    this.initializers.push({ name, dims: [values.length], dataType: 7, rawData: bytes });
    return name;
  }

  #shapeOf([input = '']: readonly string[]): readonly number[] {
    return this.#outputs.get(input) ?? [];
  }

  #rank(inputs: readonly string[]): number {
    return this.#shapeOf(inputs).length;
  }

  #unique(name: string): string {
    let unique = name;
    for (let n = 1; this.#names.has(unique); n++) unique = `${name}_${n}`;
    this.#names.add(unique);
    return unique;
  }
}

function padsOf({ top, bottom, left, right }: LayerNode<'pad'>['attrs']['padding']): readonly number[] {
  return [top, left, bottom, right];
}

function valueInfo(name: string, sizes: readonly number[]) {
  const dim = [{ dimParam: 'batch' }, ...sizes.map((dimValue) => ({ dimValue }))];
  return { name, type: { tensorType: { elemType: 1, shape: { dim } } } };
}
