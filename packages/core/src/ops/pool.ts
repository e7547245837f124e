import { ShapeError } from '../errors.ts';
import type { TensorSpec } from '../tensor.ts';
import type { SizedWindow2d } from './attrs.ts';
import { perElement } from './cost.ts';
import { expectShape, f32, nhwc, notDifferentiable, operand, rank4, windowOutput } from './infer.ts';
import type { OpDef } from './op-def.ts';

function pooledShape(x: TensorSpec, window: SizedWindow2d): readonly number[] {
  const [batch, height, width, channels] = rank4(x, 'x', nhwc);
  const [outHeight, outWidth] = windowOutput([height, width], window.size, window);
  const { padding, size } = window;
  if (Math.max(padding.top, padding.bottom) >= size[0] || Math.max(padding.left, padding.right) >= size[1]) {
    throw new ShapeError(
      `padding ${JSON.stringify(padding)} must be smaller than the window ${size.join('×')}, else a window sees padding only`,
    );
  }
  return [batch, outHeight, outWidth, channels];
}

/**
 * Largest element of each window; padding never wins.
 *
 * @shape x       [batch, height, width, channels]
 * @shape returns [batch, outHeight, outWidth, channels]
 * @bound exact
 */
export const maxPool2d: OpDef<'maxPool2d'> = {
  kind: 'maxPool2d',
  operands: () => ['x'],
  results: ['y'],
  infer: (inputs, { window }) => [f32(pooledShape(operand(inputs, 0, 'x'), window))],
  vjp: (build, { inputs: [x], outputs: [y], attrs }, [dy]) => [
    dy == null || x === undefined || y === undefined ? null : build.op('maxPool2dGrad', [dy, x, y], attrs),
  ],
  cost: perElement(1),
};

/**
 * Gradient of {@link maxPool2d}: every dy goes to the first element, in row order, that equals its window's maximum;
 * windows that overlap add up.
 *
 * @shape dy, y   [batch, outHeight, outWidth, channels]
 * @shape x       [batch, height, width, channels]
 * @shape returns [batch, height, width, channels]
 */
export const maxPool2dGrad: OpDef<'maxPool2dGrad'> = {
  kind: 'maxPool2dGrad',
  operands: () => ['dy', 'x', 'y'],
  results: ['dx'],
  infer(inputs, { window }) {
    const x = operand(inputs, 1, 'x');
    const shape = pooledShape(x, window);
    expectShape(operand(inputs, 0, 'dy'), 'dy', shape, 'like the pooled x');
    expectShape(operand(inputs, 2, 'y'), 'y', shape, 'like the pooled x');
    return [f32(x.shape)];
  },
  vjp: notDifferentiable('maxPool2dGrad'),
  cost: perElement(2),
};

/**
 * Mean of the elements of each window, padding left out of the count (Keras's rule).
 *
 * @shape x       [batch, height, width, channels]
 * @shape returns [batch, outHeight, outWidth, channels]
 * @bound (2 + √K)·u·mean|x|, K the elements of a window
 */
export const averagePool2d: OpDef<'averagePool2d'> = {
  kind: 'averagePool2d',
  operands: () => ['x'],
  results: ['y'],
  infer: (inputs, { window }) => [f32(pooledShape(operand(inputs, 0, 'x'), window))],
  vjp(build, { inputs: [x], attrs: { window } }, [dy]) {
    if (dy == null || x === undefined) return [null];
    const [, height = 0, width = 0] = build.spec(x).shape;
    return [build.op('averagePool2dGrad', [dy], { window, inputSize: [height, width] })];
  },
  cost: perElement(1),
};

/**
 * Gradient of {@link averagePool2d}: every dy spreads evenly over its window; windows that overlap add up.
 *
 * @shape dy      [batch, outHeight, outWidth, channels]
 * @shape returns [batch, height, width, channels]
 */
export const averagePool2dGrad: OpDef<'averagePool2dGrad'> = {
  kind: 'averagePool2dGrad',
  operands: () => ['dy'],
  results: ['dx'],
  infer(inputs, { window, inputSize }) {
    const dy = operand(inputs, 0, 'dy');
    const [batch, , , channels] = rank4(dy, 'dy', nhwc);
    const shape = [batch, ...inputSize, channels];
    expectShape(dy, 'dy', pooledShape(f32(shape), window), `for an input of ${inputSize.join('×')}`);
    return [f32(shape)];
  },
  vjp: notDifferentiable('averagePool2dGrad'),
  cost: perElement(1),
};
