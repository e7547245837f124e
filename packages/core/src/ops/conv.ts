import { ShapeError } from '../errors.ts';
import { elementCount, formatShape, type TensorSpec } from '../tensor.ts';
import type { Window2d } from './attrs.ts';
import { totalBytes } from './cost.ts';
import type { OpCost, OpDef } from './op-def.ts';
import { channelsOf, expectShape, f32, nhwc, notDifferentiable, operand, rank4, windowOutput } from './infer.ts';

/** 2·(output elements)·(multiply-adds per element). */
export function convCost(
  dy: TensorSpec,
  filter: TensorSpec,
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
): OpCost {
  return {
    flops: (2 * elementCount(dy.shape) * elementCount(filter.shape)) / channelsOf(dy, 'dy'),
    bytes: totalBytes(inputs, outputs),
  };
}

/** Shape of what a filter gives over x. @throws {ShapeError} when channels or spatial sizes do not agree */
export function convShape(
  x: TensorSpec,
  filter: TensorSpec,
  window: Window2d,
): [batch: number, outHeight: number, outWidth: number, outChannels: number] {
  const [batch, height, width, inChannels] = rank4(x, 'x', nhwc);
  const [filterHeight, filterWidth, filterChannels, outChannels] = rank4(
    filter,
    'filter',
    'height,width,inChannels,outChannels',
  );
  if (filterChannels !== inChannels) {
    throw new ShapeError(
      `filter ${formatShape(filter.shape)} expects ${filterChannels} input channels, but x is ${formatShape(x.shape)}`,
    );
  }
  return [batch, ...windowOutput([height, width], [filterHeight, filterWidth], window), outChannels];
}

function need(specs: readonly TensorSpec[], index: number): TensorSpec {
  const spec = specs[index];
  if (spec === undefined) throw new ShapeError(`operand ${index} is missing`);
  return spec;
}

/**
 * Two-dimensional cross-correlation with an optional epilogue.
 *
 * y[n,i,j,k] = activation(Σ_{r,s,c} x[n, i·strideH + r − padTop, j·strideW + s − padLeft, c] · filter[r,s,c,k] + bias[k] + residual[n,i,j,k])
 *
 * @shape x        [batch, height, width, inChannels]
 * @shape filter   [filterHeight, filterWidth, inChannels, outChannels]
 * @shape bias     [outChannels], when `bias`
 * @shape residual [batch, outHeight, outWidth, outChannels], when `residual`
 * @shape returns  [batch, outHeight, outWidth, outChannels]
 * @bound  (2 + √K)·u·Σ|x·filter| per element, K = filterHeight·filterWidth·inChannels (+ 1 per epilogue operand), u = 2⁻²⁴
 * @throws {ShapeError} when channels or spatial sizes do not agree
 * @source Dumoulin & Visin 2016, §2
 */
export const conv2d: OpDef<'conv2d'> = {
  kind: 'conv2d',
  operands: ({ bias, residual }) => ['x', 'filter', ...(bias ? ['bias'] : []), ...(residual ? ['residual'] : [])],
  results: ['y'],
  infer(inputs, { window, bias, residual }) {
    const x = operand(inputs, 0, 'x');
    const filter = operand(inputs, 1, 'filter');
    const shape = convShape(x, filter, window);
    const outChannels = shape[3];
    if (bias) expectShape(operand(inputs, 2, 'bias'), 'bias', [outChannels], 'like the output channels');
    if (residual) expectShape(operand(inputs, bias ? 3 : 2, 'residual'), 'residual', shape, 'like the output');
    return [f32(shape)];
  },
  vjp(build, { inputs, outputs, attrs: { window, bias, residual, activation } }, [dOutput], wanted) {
    const [x, filter] = inputs;
    const [y] = outputs;
    if (dOutput == null || x === undefined || filter === undefined || y === undefined) return inputs.map(() => null);
    const dy = activation === 'relu' ? build.op('reluGrad', [dOutput, y], {}) : dOutput;
    const [, height = 0, width = 0] = build.spec(x).shape;
    const [filterHeight = 0, filterWidth = 0] = build.spec(filter).shape;
    const dx = wanted[0]
      ? build.op('conv2dBackpropInput', [filter, dy], {
          window,
          inputSize: [height, width],
          residual: false,
          activationGrad: 'none',
        })
      : null;
    const dFilter = wanted[1]
      ? build.op('conv2dBackpropFilter', [x, dy], { window, filterSize: [filterHeight, filterWidth] })
      : null;
    return [
      dx,
      dFilter,
      ...(bias ? [wanted[2] ? build.op('biasAddGrad', [dy], {}) : null] : []),
      ...(residual ? [dy] : []),
    ];
  },
  cost: (inputs, outputs) => convCost(need(outputs, 0), need(inputs, 1), inputs, outputs),
};

/**
 * Gradient of {@link conv2d} with respect to its input, with an optional epilogue.
 *
 * dx[n,h,w,c] = (Σ dy[n,i,j,k] · filter[r,s,c,k] + residual[n,h,w,c]) · [y[n,h,w,c] > 0],
 * the sum over h = i·strideH + r − padTop, w = j·strideW + s − padLeft
 *
 * @shape filter   [filterHeight, filterWidth, inChannels, outChannels]
 * @shape dy       [batch, outHeight, outWidth, outChannels]
 * @shape residual [batch, height, width, inChannels], when `residual`
 * @shape y        [batch, height, width, inChannels], when `activationGrad` is 'relu': the output of the relu before the convolution
 * @shape returns  [batch, height, width, inChannels]
 * @bound  (2 + √K)·u·Σ|dy·filter| per element, K = filterHeight·filterWidth·outChannels (+ 1 with residual)
 * @throws {ShapeError} when channels or spatial sizes do not agree
 * @source Dumoulin & Visin 2016, §4
 */
export const conv2dBackpropInput: OpDef<'conv2dBackpropInput'> = {
  kind: 'conv2dBackpropInput',
  operands: ({ residual, activationGrad }) => [
    'filter',
    'dy',
    ...(residual ? ['residual'] : []),
    ...(activationGrad === 'relu' ? ['y'] : []),
  ],
  results: ['dx'],
  infer(inputs, { window, inputSize, residual, activationGrad }) {
    const filter = operand(inputs, 0, 'filter');
    const dy = operand(inputs, 1, 'dy');
    const [filterHeight, filterWidth, inChannels, outChannels] = rank4(
      filter,
      'filter',
      'height,width,inChannels,outChannels',
    );
    const [batch] = rank4(dy, 'dy', nhwc);
    const [outHeight, outWidth] = windowOutput(inputSize, [filterHeight, filterWidth], window);
    expectShape(
      dy,
      'dy',
      [batch, outHeight, outWidth, outChannels],
      `for an input of ${inputSize.join('×')} and filter ${formatShape(filter.shape)}`,
    );
    const shape = [batch, ...inputSize, inChannels];
    if (residual) expectShape(operand(inputs, 2, 'residual'), 'residual', shape, 'like the output');
    if (activationGrad === 'relu') expectShape(operand(inputs, residual ? 3 : 2, 'y'), 'y', shape, 'like the output');
    return [f32(shape)];
  },
  vjp: notDifferentiable('conv2dBackpropInput'),
  cost: (inputs, outputs) => convCost(need(inputs, 1), need(inputs, 0), inputs, outputs),
};

/**
 * Gradient of {@link conv2d} with respect to its filter.
 *
 * dFilter[r,s,c,k] = Σ_{n,i,j} x[n, i·strideH + r − padTop, j·strideW + s − padLeft, c] · dy[n,i,j,k]
 *
 * @shape x        [batch, height, width, inChannels]
 * @shape dy       [batch, outHeight, outWidth, outChannels]
 * @shape returns  [filterHeight, filterWidth, inChannels, outChannels]
 * @units  gradient of the mean loss, summed over the batch
 * @bound  (2 + √K)·u·Σ|x·dy| per element, K = batch·outHeight·outWidth
 * @throws {ShapeError} when channels or spatial sizes do not agree
 * @source Dumoulin & Visin 2016, §2 and §4
 */
export const conv2dBackpropFilter: OpDef<'conv2dBackpropFilter'> = {
  kind: 'conv2dBackpropFilter',
  operands: () => ['x', 'dy'],
  results: ['dFilter'],
  infer(inputs, { window, filterSize }) {
    const [batch, height, width, inChannels] = rank4(operand(inputs, 0, 'x'), 'x', nhwc);
    const dy = operand(inputs, 1, 'dy');
    const [, , , outChannels] = rank4(dy, 'dy', nhwc);
    const [outHeight, outWidth] = windowOutput([height, width], filterSize, window);
    expectShape(
      dy,
      'dy',
      [batch, outHeight, outWidth, outChannels],
      `for x ${formatShape([batch, height, width, inChannels])}`,
    );
    return [f32([...filterSize, inChannels, outChannels])];
  },
  vjp: notDifferentiable('conv2dBackpropFilter'),
  cost: (inputs, outputs) => convCost(need(inputs, 1), need(outputs, 0), inputs, outputs),
};
