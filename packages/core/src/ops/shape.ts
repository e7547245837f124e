import { ShapeError } from '../errors.ts';
import { elementCount, formatShape } from '../tensor.ts';
import { free, perElement } from './cost.ts';
import { expectShape, f32, notDifferentiable, operand } from './infer.ts';
import type { OpDef } from './op-def.ts';

/** The same elements under another shape; costs nothing. */
export const reshape: OpDef<'reshape'> = {
  kind: 'reshape',
  operands: () => ['x'],
  results: ['y'],
  infer(inputs, { shape }) {
    const x = operand(inputs, 0, 'x');
    if (elementCount(x.shape) !== elementCount(shape)) {
      throw new ShapeError(
        `x ${formatShape(x.shape)} has ${elementCount(x.shape)} elements, but ${formatShape(shape)} needs ${elementCount(shape)}`,
      );
    }
    return [f32(shape)];
  },
  vjp: (build, { inputs: [x] }, [dy]) => [
    dy == null || x === undefined ? null : build.op('reshape', [dy], { shape: build.spec(x).shape }),
  ],
  cost: free,
  aliases: [{ output: 0, input: 0, kind: 'view' }],
};

/** A tensor of one constant. */
export const fill: OpDef<'fill'> = {
  kind: 'fill',
  operands: () => [],
  results: ['y'],
  infer: (_inputs, { shape }) => [f32(shape)],
  vjp: () => [],
  cost: perElement(0),
};

/** A tensor whose every element is the scalar x. */
export const broadcastScalar: OpDef<'broadcastScalar'> = {
  kind: 'broadcastScalar',
  operands: () => ['x'],
  results: ['y'],
  infer(inputs, { shape }) {
    expectShape(operand(inputs, 0, 'x'), 'x', [], '(a scalar)');
    return [f32(shape)];
  },
  vjp: (build, _op, [dy]) => [dy == null ? null : build.op('reduceSum', [dy], {})],
  cost: perElement(0),
};

/**
 * Sum of all elements, y = Σ x, a scalar.
 *
 * @bound (2 + √K)·u·Σ|x|, K the number of elements
 */
export const reduceSum: OpDef<'reduceSum'> = {
  kind: 'reduceSum',
  operands: () => ['x'],
  results: ['y'],
  infer(inputs) {
    operand(inputs, 0, 'x');
    return [f32([])];
  },
  vjp: (build, { inputs: [x] }, [dy]) => [
    dy == null || x === undefined ? null : build.op('broadcastScalar', [dy], { shape: build.spec(x).shape }),
  ],
  cost: perElement(1),
};

/**
 * Keras's l2 regularizer: y = scale·Σ w², a scalar.
 *
 * @bound (3 + √K)·u·y, K the number of elements
 */
export const l2Penalty: OpDef<'l2Penalty'> = {
  kind: 'l2Penalty',
  operands: () => ['w'],
  results: ['y'],
  infer(inputs) {
    operand(inputs, 0, 'w');
    return [f32([])];
  },
  vjp: (build, { inputs: [w], attrs }, [dy]) => [
    dy == null || w === undefined ? null : build.op('l2PenaltyGrad', [dy, w], attrs),
  ],
  cost: perElement(2),
};

/** Gradient of {@link l2Penalty}: dw = 2·scale·dy·w, dy a scalar. */
export const l2PenaltyGrad: OpDef<'l2PenaltyGrad'> = {
  kind: 'l2PenaltyGrad',
  operands: () => ['dy', 'w'],
  results: ['dw'],
  infer(inputs) {
    expectShape(operand(inputs, 0, 'dy'), 'dy', [], '(a scalar)');
    return [f32(operand(inputs, 1, 'w').shape)];
  },
  vjp: notDifferentiable('l2PenaltyGrad'),
  cost: perElement(1),
};
