import { constantAt, imageAt, intOf, intsOf, layerAt, textOf, type NodeContext } from './onnx-context.ts';
import { constantOf, onnxShape, Unrepresentable, type LayerValue, type OnnxValue } from './onnx-values.ts';

/** Nodes that move or cut, and compute nothing. */

type Importer = (context: NodeContext) => OnnxValue;

export function isShapeNode(opType: string): boolean {
  return Object.hasOwn(importers, opType);
}

export function importShapeNode(context: NodeContext): OnnxValue {
  const run = importers[context.node.opType];
  if (run === undefined) throw new Unrepresentable('its operands are no constants');
  return run(context);
}

const importers: Readonly<Record<string, Importer>> = {
  Flatten(context) {
    if (intOf(context.node, 'axis', 1) !== 1) throw new Unrepresentable(`axis ${intOf(context.node, 'axis', 1)}`);
    return flattened(context);
  },
  Reshape(context) {
    const x = layerAt(context.inputs, 0);
    const shape = Array.from(constantAt(context.inputs, 1).read());
    const from = onnxShape(context.net, x);
    const features = from.slice(1).reduce((count, size) => count * size, 1);
    const to = shape.map((size, axis) => (size === 0 ? (from[axis] ?? 0) : size));
    if (to.length === 2 && (to[1] === features || (to[1] === -1 && (to[0] === 1 || to[0] === from[0]))))
      return flattened(context);
    if (to.join() === from.join()) return x;
    throw new Unrepresentable(`from [${from.join(',')}] to [${shape.join(',')}]`);
  },
  Squeeze(context) {
    const x = layerAt(context.inputs, 0);
    const [, ...sizes] = onnxShape(context.net, x);
    if (x.layout !== 'nchw' || sizes[1] !== 1 || sizes[2] !== 1)
      throw new Unrepresentable('it squeezes an image of more than one pixel');
    return flattened(context);
  },
  ReduceMean(context) {
    const { net, node, title, inputs } = context;
    const x = imageAt(inputs, 0);
    const axes = (intsOf(node, 'axes') ?? Array.from(constantAt(inputs, 1).read()))
      .map((axis) => (axis + 4) % 4)
      .toSorted((a, b) => a - b);
    if (axes.join() !== (x.layout === 'nchw' ? '2,3' : '1,2')) throw new Unrepresentable(`axes ${axes.join(',')}`);
    const layer = net.add('globalAveragePool', title, [x.layer], {});
    if (intOf(node, 'keepdims', 1) === 1) return { ...x, layer };
    return { layer: net.add('flatten', `${title}/flatten`, [layer], {}), layout: 'features' };
  },
  Transpose({ net, node, inputs }) {
    const x = layerAt(inputs, 0);
    const perm = (intsOf(node, 'perm') ?? []).join();
    if (x.layout === 'nhwc' && perm === '0,3,1,2') return { ...x, layout: 'nchw' };
    if (x.layout === 'nchw' && perm === '0,2,3,1') return { ...x, layout: 'nhwc' };
    throw new Unrepresentable(`perm ${perm} of [${onnxShape(net, x).join(',')}]`);
  },
  Pad({ net, node, title, inputs }) {
    const x = imageAt(inputs, 0);
    const pads = intsOf(node, 'pads') ?? Array.from(constantAt(inputs, 1).read());
    const value =
      inputs[2] === undefined
        ? (node.attribute.find(({ name }) => name === 'value')?.f ?? 0)
        : constantAt(inputs, 2).read()[0];
    const mode = textOf(node, 'mode');
    if (
      (mode !== '' && mode !== 'constant') ||
      value !== 0 ||
      pads.length !== 8 ||
      pads.some((pad) => !(pad >= 0)) ||
      pads[0] !== 0 ||
      pads[4] !== 0
    )
      throw new Unrepresentable(`mode '${mode || 'constant'}', value ${value}, pads ${pads.join(',')}`);
    const [c, h, w] = x.layout === 'nchw' ? ([1, 2, 3] as const) : ([3, 1, 2] as const);
    const at = (index: number): number => pads[index] ?? 0;
    let { layer } = x;
    const padding = { top: at(h), bottom: at(h + 4), left: at(w), right: at(w + 4) };
    if (Object.values(padding).some((size) => size > 0)) layer = net.add('pad', title, [layer], { padding });
    if (at(c) + at(c + 4) > 0)
      layer = net.add('padChannels', `${title}/channels`, [layer], { before: at(c), after: at(c + 4) });
    return { ...x, layer };
  },
  Slice({ net, node, title, inputs }) {
    const x = imageAt(inputs, 0);
    const list = (name: string, index: number): readonly number[] | undefined =>
      intsOf(node, name) ?? (inputs[index] === undefined ? undefined : Array.from(constantAt(inputs, index).read()));
    const starts = list('starts', 1) ?? [];
    const ends = list('ends', 2) ?? [];
    const axes = list('axes', 3) ?? starts.map((_, axis) => axis);
    const steps = list('steps', 4) ?? starts.map(() => 1);
    const shape = onnxShape(net, x);
    const strides = [1, 1, 1, 1];
    axes.forEach((given, i) => {
      const axis = (given + 4) % 4;
      const whole = starts[i] === 0 && (ends[i] ?? 0) >= (shape[axis] ?? 0);
      if (!whole || !((steps[i] ?? 0) >= 1))
        throw new Unrepresentable(`it cuts [${shape.join(',')}] along axis ${axis} from ${starts[i]} to ${ends[i]}`);
      strides[axis] = steps[i] ?? 1;
    });
    const [c, h, w] = x.layout === 'nchw' ? ([1, 2, 3] as const) : ([3, 1, 2] as const);
    if (strides[0] !== 1 || strides[c] !== 1) throw new Unrepresentable('it takes every n-th channel or image');
    const pair = [strides[h] ?? 1, strides[w] ?? 1] as const;
    return pair.join() === '1,1' ? x : { ...x, layer: net.add('subsample', title, [x.layer], { strides: pair }) };
  },
  Shape({ net, title, inputs }) {
    const shape = onnxShape(net, layerAt(inputs, 0));
    return constantOf(title, [shape.length], shape);
  },
};

/** [batch, features]; in ONNX's order they are channel by channel, and here pixel by pixel. */
function flattened({ net, title, inputs }: NodeContext): LayerValue {
  const x = layerAt(inputs, 0);
  if (x.layout === 'features') return x;
  const image = net.shape(x.layer);
  const layer = net.add('flatten', title, [x.layer], {});
  return x.layout === 'nchw' ? { layer, layout: 'features', image } : { layer, layout: 'features' };
}
