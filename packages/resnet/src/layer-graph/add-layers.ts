import { FormatError, noPadding, ShapeError, type SizedWindow2d, type ValueId } from '@skiplane/core';
import type { NetworkBuilder } from '../network-builder.ts';
import type { Initializer } from '../parameters.ts';
import { inputName, type LayerGraph, type LayerKind, type LayerNode } from './layer-graph.ts';

const heNormal: Initializer = { kind: 'heNormal' };
const zeros: Initializer = { kind: 'constant', value: 0 };
const plain = { bias: false, residual: false, activation: 'none' } as const;

/**
 * Adds the layers of a graph.
 *
 * @shape x       [batch, height, width, channels]
 * @shape returns logits [batch, classes]
 * @param visit  called with every layer's value
 * @throws {FormatError} when a layer is named twice, or reads one that is not before it, or its operands do not fit
 */
export function addLayers(
  net: NetworkBuilder,
  x: ValueId,
  graph: LayerGraph,
  visit?: (name: string, value: ValueId) => void,
): ValueId {
  const values = new Map<string, ValueId>([[inputName, x]]);
  for (const node of graph.layers) {
    if (values.has(node.name)) throw misfit(graph.name, `two layers are named '${node.name}'`);
    const inputs = node.inputs.map((input) => {
      const value = values.get(input);
      if (value === undefined) {
        throw misfit(graph.name, `layer '${node.name}' (${node.kind}) reads '${input}', which is no layer before it`);
      }
      return value;
    });
    const value = addLayer(net, graph.name, node, inputs);
    values.set(node.name, value);
    visit?.(node.name, value);
  }
  const logits = values.get(graph.output);
  if (logits === undefined) throw misfit(graph.name, `its output '${graph.output}' is none of its layers`);
  const { shape } = net.build.spec(logits);
  if (shape.length !== 2 || shape[1] !== graph.classes) {
    throw misfit(graph.name, `its output '${graph.output}' is [${shape.join(',')}], not [batch,${graph.classes}]`);
  }
  const flat = graph.layers.find(({ name }) => name === graph.output)?.kind === 'flatten';
  // A flattened value is a view, which cannot be an output: this copies it.
  return flat ? net.build.op('affine', [logits], { scale: 1, offset: 0 }, graph.output) : logits;
}

/** Adds one layer. @throws {FormatError} when its operands do not fit */
export function addLayer(net: NetworkBuilder, graph: string, node: LayerNode, inputs: readonly ValueId[]): ValueId {
  const [least, most] = inputsOf(node);
  if (inputs.length < least || inputs.length > most) {
    throw misfit(graph, `layer '${node.name}' (${node.kind}) has ${inputs.length} inputs`);
  }
  try {
    const add = (): ValueId => lower(net, node, inputs);
    // These two are layers of the builder already.
    const own = node.kind === 'batchNorm' || node.kind === 'subsample';
    return own ? add() : net.layer(node.name, node.kind, add);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new FormatError(`network '${graph}' does not fit together: ${error.message}`, error.details, error);
  }
}

/** The least and the most inputs that a layer may have. */
function inputsOf(node: LayerNode): readonly [least: number, most: number] {
  if (node.kind === 'add' || node.kind === 'concat') return [2, Number.POSITIVE_INFINITY];
  return node.kind === 'quantizedConv2d' && node.attrs.residual !== null ? [2, 2] : [1, 1];
}

/** An input's sizes; all of them, where a layer takes images. */
type Image = readonly [batch: number, height: number, width: number, channels: number];

const lowerings: { readonly [K in LayerKind]: Lowering<K> } = {
  conv2d: addConv,
  bias: (net, { name }, [x]) => addBias(net, name, x),
  batchNorm: (net, { name, attrs }, [x]) => net.batchNorm(x, name, attrs.epsilon),
  relu: (net, { name }, [x]) => net.build.op('relu', [x], {}, name),
  add: (net, { name }, [first, ...rest]) => rest.reduce((sum, x) => net.build.op('add', [sum, x], {}, name), first),
  maxPool: (net, { name, attrs }, [x]) => net.build.op('maxPool2d', [x], { window: attrs }, name),
  averagePool: (net, { name, attrs }, [x]) => net.build.op('averagePool2d', [x], { window: attrs }, name),
  globalAveragePool(net, { name }, [x]) {
    const [, height, width] = imageOf(net, x);
    const window: SizedWindow2d = { size: [height, width], strides: [height, width], padding: noPadding };
    return net.build.op('averagePool2d', [x], { window }, name);
  },
  dense: addDense,
  flatten(net, { name }, [x]) {
    const [batch = 0, ...rest] = net.build.spec(x).shape;
    return net.build.op('reshape', [x], { shape: [batch, rest.reduce((count, size) => count * size, 1)] }, name);
  },
  pad: addPad,
  padChannels: (net, { name, attrs }, [x]) => net.build.op('padChannels', [x], attrs, name),
  subsample: (net, { name, attrs }, [x]) => net.subsample(x, name, attrs.strides),
  concat(net, { name }, inputs) {
    const channels = inputs.map((x) => imageOf(net, x)[3]);
    const total = channels.reduce((sum, size) => sum + size, 0);
    let before = 0;
    const parts = inputs.map((x, index) => {
      const own = channels[index] ?? 0;
      const placed = { before, after: total - before - own };
      before += own;
      return net.build.op('padChannels', [x], placed, `${name}/${index}`);
    });
    return parts.reduce((sum, part) => net.build.op('add', [sum, part], {}, name));
  },
  quantize: (net, { name, attrs: { scale } }, [x]) => net.build.op('quantize', [x], { multiplier: 1 / scale }, name),
  dequantize: (net, { name, attrs }, [x]) => net.build.op('dequantize', [x], attrs, name),
  quantizedConv2d: addQuantizedConv,
};

type Operands = readonly [ValueId, ...ValueId[]];
type Lowering<K extends LayerKind> = (net: NetworkBuilder, node: LayerNode<K>, inputs: Operands) => ValueId;

function lower<K extends LayerKind>(net: NetworkBuilder, node: LayerNode<K>, inputs: readonly ValueId[]): ValueId {
  return (lowerings[node.kind] as Lowering<K>)(net, node, inputs as unknown as Operands);
}

function addConv(net: NetworkBuilder, { name, attrs }: LayerNode<'conv2d'>, [x]: Operands): ValueId {
  const { filters, kernelSize, strides, padding, bias } = attrs;
  const filter = net.parameter(`${name}/filter`, [...kernelSize, imageOf(net, x)[3], filters], heNormal);
  const y = net.build.op('conv2d', [x, filter], { ...plain, window: { strides, padding } }, name);
  return bias ? addBias(net, name, y) : y;
}

function addQuantizedConv(
  net: NetworkBuilder,
  { name, attrs }: LayerNode<'quantizedConv2d'>,
  [x, ...residual]: Operands,
): ValueId {
  const { filters, kernelSize, strides, padding, relu } = attrs;
  const shape = [...kernelSize, imageOf(net, x)[3], filters];
  const filter = net.parameter(`${name}/filter`, shape, zeros, { trainable: false, dtype: 'i8' });
  const [multiplier, bias] = ['multiplier', 'bias'].map((role) =>
    net.parameter(`${name}/${role}`, [filters], zeros, { trainable: false }),
  ) as [ValueId, ValueId];
  const epilogue = { residual: attrs.residual, activation: relu ? 'relu' : 'none' } as const;
  const window = { strides, padding };
  return net.build.op('quantizedConv2d', [x, filter, multiplier, bias, ...residual], { window, ...epilogue }, name);
}

function addDense(net: NetworkBuilder, { name, attrs }: LayerNode<'dense'>, [x]: Operands): ValueId {
  const { shape } = net.build.spec(x);
  const [, features = 0] = shape;
  if (shape.length !== 2) throw new ShapeError(`dense '${name}' takes [batch,features], but gets [${shape.join(',')}]`);
  const kernel = net.parameter(`${name}/kernel`, [features, attrs.units], heNormal);
  const y = net.build.op('matMul', [x, kernel], { transposeA: false, transposeB: false }, name);
  return attrs.bias ? addBias(net, name, y) : y;
}

function addBias(net: NetworkBuilder, name: string, x: ValueId): ValueId {
  const bias = net.parameter(`${name}/bias`, [net.build.spec(x).shape.at(-1) ?? 0], zeros);
  return net.build.op('biasAdd', [x, bias], {}, name);
}

/** Zeros around an image: rows in memory are channels of an image one pixel wide, and the image is those of one pixel. */
function addPad(net: NetworkBuilder, { name, attrs }: LayerNode<'pad'>, [x]: Operands): ValueId {
  const [batch, height, width, channels] = imageOf(net, x);
  const { top, bottom, left, right } = attrs.padding;
  const reshape = (value: ValueId, ...shape: number[]): ValueId => net.build.op('reshape', [value], { shape }, name);
  const pad = (value: ValueId, before: number, after: number): ValueId =>
    net.build.op('padChannels', [value], { before, after }, name);
  const row = (left + width + right) * channels;
  const wide = pad(reshape(x, batch * height, width * channels), left * channels, right * channels);
  const tall = pad(reshape(wide, batch, height * row), top * row, bottom * row);
  return reshape(tall, batch, top + height + bottom, left + width + right, channels);
}

function imageOf(net: NetworkBuilder, x: ValueId): Image {
  const [batch, height, width, channels] = net.build.spec(x).shape;
  if (batch === undefined || height === undefined || width === undefined || channels === undefined) {
    throw new ShapeError(
      `an image [batch,height,width,channels] is needed, but x is [${net.build.spec(x).shape.join(',')}]`,
    );
  }
  return [batch, height, width, channels];
}

function misfit(graph: string, problem: string): FormatError {
  return new FormatError(`network '${graph}' does not fit together: ${problem}.`, { problem });
}
