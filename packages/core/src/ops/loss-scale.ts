import { perElement } from './cost.ts';
import { expectShape, f32, notDifferentiable, operand } from './infer.ts';
import type { OpDef } from './op-def.ts';

/**
 * The gradient of a loss from that of the scaled loss: gradient / lossScale.
 *
 * @shape gradient  any
 * @shape lossScale  scalar
 */
export const unscaleGradient: OpDef<'unscaleGradient'> = {
  kind: 'unscaleGradient',
  operands: () => ['gradient', 'lossScale'],
  results: ['unscaled'],
  infer(inputs) {
    expectShape(operand(inputs, 1, 'lossScale'), 'lossScale', [], '(a scalar)');
    return [f32(operand(inputs, 0, 'gradient').shape)];
  },
  vjp: notDifferentiable('unscaleGradient'),
  cost: perElement(1),
};

/**
 * Adapts the scale of a loss, in place. Where `norm` is NaN or infinite, it is halved, but not below `minimum`, and the count of
 * good steps begins anew; after `growthSteps` good steps in a row it is doubled, but not above `maximum`.
 *
 * @shape lossScale, goodSteps, norm  scalars; norm is Σ of the squares of all gradients of the scaled loss
 * @source Micikevicius et al. 2018, Mixed precision training, §3.2
 */
export const updateLossScale: OpDef<'updateLossScale'> = {
  kind: 'updateLossScale',
  operands: () => ['lossScale', 'goodSteps', 'norm'],
  results: ['lossScale', 'goodSteps'],
  infer(inputs) {
    ['lossScale', 'goodSteps', 'norm'].forEach((name, i) =>
      expectShape(operand(inputs, i, name), name, [], '(a scalar)'),
    );
    return [f32([]), f32([])];
  },
  vjp: notDifferentiable('updateLossScale'),
  cost: perElement(3),
  aliases: [
    { output: 0, input: 0, kind: 'update' },
    { output: 1, input: 1, kind: 'update' },
  ],
};
