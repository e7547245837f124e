import { ShapeError } from '../errors.ts';
import { elementCount, type TensorSpec } from '../tensor.ts';
import { perElement } from './cost.ts';
import { convCost, convShape } from './conv.ts';
import { expectShape, f32, notDifferentiable, operand } from './infer.ts';
import type { OpDef } from './op-def.ts';

const i8 = (shape: readonly number[]): TensorSpec => ({ shape, dtype: 'i8' });

/** The longest sum of products of bytes that stays within 32 bits: 2³¹/(128·128). */
const longestQuantizedSum = 2 ** 17;

function checkFactor(name: string, factor: number): void {
  if (!Number.isFinite(factor) || factor <= 0)
    throw new ShapeError(`${name} of ${factor} must be a finite number above 0`);
}

/**
 * The nearest whole number of eight bits: y = max(−127, min(127, round(x·multiplier))), where the product is rounded to f32, and
 * halves go to the even neighbour. A NaN becomes −127. Exact: every backend gives these numbers.
 *
 * @shape x       any, f32
 * @shape returns the same, i8
 * @throws {ShapeError} when the multiplier is not a finite number above 0
 * @source Jacob et al. 2018, §2.1, without a zero point
 */
export const quantize: OpDef<'quantize'> = {
  kind: 'quantize',
  operands: () => ['x'],
  results: ['y'],
  infer(inputs, { multiplier }) {
    checkFactor('multiplier', multiplier);
    return [i8(operand(inputs, 0, 'x').shape)];
  },
  vjp: notDifferentiable('quantize'),
  cost: perElement(2),
};

/**
 * y = x·scale, rounded to f32. Exact: every backend gives these numbers.
 *
 * @shape x       any, i8
 * @shape returns the same, f32
 * @throws {ShapeError} when the scale is not a finite number above 0
 */
export const dequantize: OpDef<'dequantize'> = {
  kind: 'dequantize',
  operands: () => ['x'],
  results: ['y'],
  infer(inputs, { scale }) {
    checkFactor('scale', scale);
    return [f32(operand(inputs, 0, 'x', 'i8').shape)];
  },
  vjp: notDifferentiable('dequantize'),
  cost: perElement(1),
};

/**
 * Convolution of whole numbers of eight bits, requantized to the same.
 *
 * sum = Σ_{r,s,c} x[n, i·strideH + r − padTop, j·strideW + s − padLeft, c] · filter[r,s,c,k], a whole number;
 * y[n,i,j,k] = max(least, min(127, round(sum·multiplier[k] + bias[k] + residual[n,i,j,k]·residualMultiplier))),
 * least = 0 with relu, else −127. The sum is rounded to f32, then every product and sum from left to right; halves go to the
 * even neighbour; a NaN becomes the least number. Exact: every backend gives these numbers.
 *
 * @shape x          [batch, height, width, inChannels], i8
 * @shape filter     [filterHeight, filterWidth, inChannels, outChannels], i8
 * @shape multiplier [outChannels]: scale of x · scale of the filter's channel / scale of y
 * @shape bias       [outChannels], in units of the scale of y
 * @shape residual   [batch, outHeight, outWidth, outChannels], i8, when `residual` is not null
 * @shape returns    [batch, outHeight, outWidth, outChannels], i8
 * @throws {ShapeError} when sizes do not agree, or a sum could leave 32 bits
 * @source Jacob et al. 2018, §2.4, without zero points, and with multipliers in f32
 */
export const quantizedConv2d: OpDef<'quantizedConv2d'> = {
  kind: 'quantizedConv2d',
  operands: ({ residual }) => ['x', 'filter', 'multiplier', 'bias', ...(residual === null ? [] : ['residual'])],
  results: ['y'],
  infer(inputs, { window, residual }) {
    const x = operand(inputs, 0, 'x', 'i8');
    const filter = operand(inputs, 1, 'filter', 'i8');
    const shape = convShape(x, filter, window);
    const outChannels = shape[3];
    const terms = elementCount(filter.shape) / outChannels;
    if (terms >= longestQuantizedSum) {
      throw new ShapeError(`a sum of ${terms} products may leave 32 bits; fewer than ${longestQuantizedSum} do not`);
    }
    expectShape(operand(inputs, 2, 'multiplier'), 'multiplier', [outChannels], 'like the output channels');
    expectShape(operand(inputs, 3, 'bias'), 'bias', [outChannels], 'like the output channels');
    if (residual !== null) {
      checkFactor('the multiplier of the residual', residual);
      expectShape(operand(inputs, 4, 'residual', 'i8'), 'residual', shape, 'like the output');
    }
    return [i8(shape)];
  },
  vjp: notDifferentiable('quantizedConv2d'),
  cost: (inputs, outputs) =>
    convCost(operand(outputs, 0, 'y', 'i8'), operand(inputs, 1, 'filter', 'i8'), inputs, outputs),
};
