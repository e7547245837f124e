import { noPadding, samePadding, type Padding2d } from '@skiplane/core';
import type { NetworkAssembler } from './network-assembler.ts';
import { addConstant, matrixProduct, scaleByConstant } from './onnx-affine.ts';
import { constantNode, foldConstants, isConstantNode } from './onnx-constants.ts';
import {
  constantAt,
  floatOf,
  imageAt,
  intOf,
  intsOf,
  layerAt,
  notScrambled,
  textOf,
  type NodeContext,
} from './onnx-context.ts';
import type { OnnxNode } from './onnx-schema.ts';
import { importShapeNode, isShapeNode } from './onnx-shapes.ts';
import { isLayer, Unrepresentable, type LayerValue, type OnnxValue } from './onnx-values.ts';
import { filterFromOihw } from './transpose.ts';

type Importer = (context: NodeContext) => OnnxValue;

export function isImported({ opType, domain }: OnnxNode): boolean {
  const known = Object.hasOwn(importers, opType) || isShapeNode(opType) || isConstantNode(opType);
  return known && (domain === '' || domain === 'ai.onnx');
}

/** @throws {Unrepresentable} with the reason why it cannot be */
export function importNode(context: NodeContext): OnnxValue {
  const { node, title, inputs } = context;
  const constants = inputs.flatMap((input) => (input === undefined || isLayer(input) ? [] : [input.constant]));
  if (inputs.length > 0 && constants.length === inputs.length) {
    const folded = foldConstants(node, title, constants);
    if (folded !== undefined) return folded;
  }
  const run = importers[node.opType];
  return run === undefined ? importShapeNode(context) : run(context);
}

const importers: Readonly<Record<string, Importer>> = {
  Conv: addConv,
  BatchNormalization({ net, node, title, inputs }) {
    const x = layerAt(inputs, 0);
    const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((index) => constantAt(inputs, index));
    const epsilon = floatOf(node, 'epsilon', 1e-5);
    notScrambled(x);
    return { ...x, layer: net.add('batchNorm', title, [x.layer], { epsilon }, { gamma, beta, mean, variance }) };
  },
  Relu: ({ net, title, inputs }) => {
    const x = layerAt(inputs, 0);
    return { ...x, layer: net.add('relu', title, [x.layer], {}) };
  },
  // What `torch.clamp(x, min=0)` becomes.
  Clip: ({ net, node, title, inputs }) => {
    const x = layerAt(inputs, 0);
    const [least, most] = ['min', 'max'].map((name, index) =>
      inputs[index + 1] === undefined ? limitOf(node, name) : constantAt(inputs, index + 1).read()[0],
    );
    if (least !== 0 || (most !== undefined && most < largestFloat))
      throw new Unrepresentable(`between ${least ?? 'anything'} and ${most ?? 'anything'}, not from 0 up`);
    return { ...x, layer: net.add('relu', title, [x.layer], {}) };
  },
  Add: (context) => {
    const [a, b] = context.inputs;
    if (a === undefined || b === undefined) throw new Unrepresentable('it needs two inputs');
    if (!isLayer(a)) return addConstant(context, layerAt(context.inputs, 1), a.constant, 1);
    if (!isLayer(b)) return addConstant(context, a, b.constant, 1);
    if (a.layout !== b.layout || context.net.shape(a.layer).join() !== context.net.shape(b.layer).join())
      throw new Unrepresentable('its inputs differ in shape');
    return { ...a, layer: context.net.add('add', context.title, [a.layer, b.layer], {}) };
  },
  Sub: (context) => addConstant(context, layerAt(context.inputs, 0), constantAt(context.inputs, 1), -1),
  Mul: (context) => scaleByConstant(context, (value) => value),
  Div: (context) => scaleByConstant(context, (value) => 1 / value),
  MaxPool({ net, node, title, inputs }) {
    const x = imageAt(inputs, 0);
    return { ...x, layer: net.add('maxPool', title, [x.layer], poolOf(net, node, x)) };
  },
  AveragePool({ net, node, title, inputs }) {
    const x = imageAt(inputs, 0);
    const attrs = poolOf(net, node, x);
    const { top, bottom, left, right } = attrs.padding;
    if (intOf(node, 'count_include_pad', 0) === 0 || top + bottom + left + right === 0)
      return { ...x, layer: net.add('averagePool', title, [x.layer], attrs) };
    const padded = net.add('pad', `${title}/pad`, [x.layer], { padding: attrs.padding });
    return { ...x, layer: net.add('averagePool', title, [padded], { ...attrs, padding: noPadding }) };
  },
  GlobalAveragePool({ net, title, inputs }) {
    const x = imageAt(inputs, 0);
    return { ...x, layer: net.add('globalAveragePool', title, [x.layer], {}) };
  },
  Gemm: matrixProduct,
  MatMul: matrixProduct,
  Concat({ net, node, title, inputs }) {
    const parts = inputs.map((_, index) => imageAt(inputs, index));
    const [first] = parts;
    const axis = intOf(node, 'axis', 1);
    if (first === undefined || parts.some(({ layout }) => layout !== first.layout))
      throw new Unrepresentable('its inputs differ in layout');
    if ((axis + 4) % 4 !== (first.layout === 'nchw' ? 1 : 3))
      throw new Unrepresentable(`axis ${axis}, not that of the channels`);
    if (parts.length === 1) return first;
    return {
      ...first,
      layer: net.add(
        'concat',
        title,
        parts.map(({ layer }) => layer),
        {},
      ),
    };
  },
  Softmax: ({ inputs }) => layerAt(inputs, 0),
  LogSoftmax: ({ inputs }) => layerAt(inputs, 0),
  Identity: ({ inputs }) => layerAt(inputs, 0),
  Dropout: ({ inputs }) => layerAt(inputs, 0),
  Cast: ({ inputs }) => layerAt(inputs, 0),
  Constant: ({ node, title }) => constantNode(node, title),
};

/** What stands for no limit. */
const largestFloat = 3.4e38;

function limitOf({ attribute }: OnnxNode, limit: string): number | undefined {
  return attribute.find(({ name }) => name === limit)?.f;
}

function addConv({ net, node, title, inputs }: NodeContext): OnnxValue {
  const x = imageAt(inputs, 0);
  if (x.layout !== 'nchw') throw new Unrepresentable('its images have their channels last');
  const weight = constantAt(inputs, 1);
  const [filters = 0, , height = 1, width = 1] = weight.shape;
  if (weight.shape.length !== 4) throw new Unrepresentable(`a filter of ${weight.shape.length} axes`);
  const bias = inputs[2] === undefined ? undefined : constantAt(inputs, 2);
  const strides = pairOf(node, 'strides', [1, 1]);
  const padding = paddingOf(net, node, x, [height, width], strides);
  const attrs = { filters, kernelSize: [height, width] as const, strides, padding, bias: bias !== undefined };
  const layer = net.add('conv2d', title, [x.layer], attrs, { filter: filterFromOihw(weight), ...(bias && { bias }) });
  return { layer, layout: 'nchw' };
}

/** What a node asks for that no layer here has, whatever its inputs are. @param last  whether it gives the graph's output */
export function oddAttributes(node: OnnxNode, last: boolean): readonly string[] {
  const odd: string[] = [];
  const expect = (name: string, ...allowed: readonly (number | undefined)[]): void => {
    const given = node.attribute.find((attribute) => attribute.name === name);
    const values = given === undefined ? [] : given.ints.length > 0 ? given.ints : [given.i];
    if (values.some((value) => !allowed.includes(value))) odd.push(`${name} ${values.join(',')}`);
  };
  if (node.opType === 'Conv') expect('group', 1);
  if (node.opType === 'Conv' || node.opType === 'MaxPool' || node.opType === 'AveragePool') {
    expect('dilations', 1);
    const auto = textOf(node, 'auto_pad');
    if (!['', 'NOTSET', 'SAME_UPPER', 'VALID'].includes(auto)) odd.push(`auto_pad ${auto}`);
  }
  if (node.opType === 'MaxPool' && node.output.length > 1) odd.push('it gives the places of its maxima');
  if (node.opType === 'BatchNormalization') expect('training_mode', 0);
  if ((node.opType === 'Softmax' || node.opType === 'LogSoftmax') && !last)
    odd.push('a softmax that is not the last node');
  if (node.opType === 'Gemm') expect('transA', 0);
  return odd;
}

function poolOf(net: NetworkAssembler, node: OnnxNode, x: LayerValue) {
  const size = pairOf(node, 'kernel_shape', [1, 1]);
  const strides = pairOf(node, 'strides', [1, 1]);
  const padding = paddingOf(net, node, x, size, strides);
  if (intOf(node, 'ceil_mode', 0) !== 0) {
    const [height = 1, width = 1] = net.shape(x.layer);
    const left = [height + padding.top + padding.bottom - size[0], width + padding.left + padding.right - size[1]];
    if (left.some((rest, axis) => rest % (strides[axis] ?? 1) !== 0))
      throw new Unrepresentable('ceil_mode 1 where windows do not fit');
  }
  return { size, strides, padding };
}

type Pair = readonly [number, number];

function paddingOf(
  net: NetworkAssembler,
  node: OnnxNode,
  { layer }: LayerValue,
  window: Pair,
  strides: Pair,
): Padding2d {
  if (textOf(node, 'auto_pad') === 'SAME_UPPER') {
    const [height = 1, width = 1] = net.shape(layer);
    return samePadding([height, width], window, strides);
  }
  const [top = 0, left = 0, bottom = 0, right = 0] = intsOf(node, 'pads') ?? [];
  if ([top, left, bottom, right].some((pad) => pad < 0))
    throw new Unrepresentable(`pads ${[top, left, bottom, right].join(',')}`);
  return { top, bottom, left, right };
}

function pairOf(node: OnnxNode, name: string, fallback: Pair): Pair {
  const [a, b, more] = intsOf(node, name) ?? fallback;
  if (a === undefined || b === undefined || more !== undefined || !(a >= 1 && b >= 1))
    throw new Unrepresentable(`${name} ${intsOf(node, name)?.join(',')}`);
  return [a, b];
}
