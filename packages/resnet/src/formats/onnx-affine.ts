import { elementCount } from '@skiplane/core';
import type { FileTensor } from './model-file.ts';
import type { LaidOut } from './network-assembler.ts';
import { constantAt, floatOf, intOf, layerAt, notScrambled, type NodeContext } from './onnx-context.ts';
import { isLayer, Unrepresentable, type LayerValue, type OnnxValue } from './onnx-values.ts';
import { kernelForPixels, kernelFromRows } from './transpose.ts';

/** `Gemm` and `MatMul` with a constant kernel, which `Gemm` may have as rows. */
export function matrixProduct({ net, node, title, inputs }: NodeContext): OnnxValue {
  const x = layerAt(inputs, 0);
  if (x.layout !== 'features') throw new Unrepresentable('it takes an image that is not flattened');
  const gemm = node.opType === 'Gemm';
  const given = constantAt(inputs, 1);
  if (given.shape.length !== 2) throw new Unrepresentable(`a matrix of ${given.shape.length} axes`);
  if (gemm && (floatOf(node, 'alpha', 1) !== 1 || floatOf(node, 'beta', 1) !== 1))
    throw new Unrepresentable('alpha or beta are not 1');
  const rows = gemm && intOf(node, 'transB', 0) === 1;
  const columns = rows ? kernelFromRows(given) : given;
  const [features = 0, units = 0] = columns.shape;
  const image = x.image ?? [];
  const [height = 1, width = 1, channels = 1] = image;
  const scrambled = height * width > 1 && height * width * channels === features;
  const kernel = scrambled ? kernelForPixels(columns, image) : columns;
  const bias = gemm && inputs[2] !== undefined ? vector(constantAt(inputs, 2), units) : undefined;
  const attrs = { units, bias: bias !== undefined };
  return { layer: net.add('dense', title, [x.layer], attrs, { kernel, ...(bias && { bias }) }), layout: 'features' };
}

/** x + sign·constant, the constant one value or one a channel. */
export function addConstant({ net, title }: NodeContext, x: LayerValue, constant: FileTensor, sign: 1 | -1): OnnxValue {
  const bias = perChannel({ net }, x, constant, (value) => sign * value);
  return { ...x, layer: net.add('bias', title, [x.layer], {}, { bias }) };
}

/** x times a constant, one value or one a channel: a batch norm that neither centres nor divides. */
export function scaleByConstant({ net, node, title, inputs }: NodeContext, map: (value: number) => number): OnnxValue {
  const [a, b] = inputs;
  const swapped = node.opType === 'Mul' && a !== undefined && !isLayer(a);
  const x = swapped ? layerAt(inputs, 1) : layerAt(inputs, 0);
  if (b === undefined) throw new Unrepresentable('it needs two inputs');
  const gamma = perChannel({ net }, x, constantAt(inputs, swapped ? 0 : 1), map);
  const constant = (value: number): LaidOut => ({
    shape: gamma.shape,
    read: () => new Float32Array(elementCount(gamma.shape)).fill(value),
  });
  const parameters = { gamma, beta: constant(0), mean: constant(0), variance: constant(1) };
  return { ...x, layer: net.add('batchNorm', title, [x.layer], { epsilon: 0 }, parameters) };
}

/** A constant that broadcasts over all axes but the channels, as one value a channel. */
function perChannel(
  { net }: Pick<NodeContext, 'net'>,
  x: LayerValue,
  { shape, read }: FileTensor,
  map: (value: number) => number,
): LaidOut {
  const channels = net.shape(x.layer).at(-1) ?? 0;
  const rank = x.layout === 'features' ? 2 : 4;
  const full = [...new Array<number>(Math.max(rank - shape.length, 0)).fill(1), ...shape];
  const axis = x.layout === 'nchw' ? 1 : rank - 1;
  const single = elementCount(shape) === 1;
  const fits = full.length === rank && full.every((size, index) => size === (index === axis ? channels : 1));
  if (!single && !fits)
    throw new Unrepresentable(`a constant [${shape.join(',')}] that is not one value, nor one a channel`);
  if (!single) notScrambled(x);
  return {
    shape: [channels],
    read() {
      const values = read();
      return Float32Array.from({ length: channels }, (_, c) => map(values[single ? 0 : c] as number));
    },
  };
}

function vector({ shape, read }: FileTensor, units: number): LaidOut {
  const given = elementCount(shape);
  if (given !== units && given !== 1) throw new Unrepresentable(`a bias [${shape.join(',')}] for ${units} units`);
  return { shape: [units], read: given === units ? read : () => new Float32Array(units).fill(read()[0] ?? 0) };
}
