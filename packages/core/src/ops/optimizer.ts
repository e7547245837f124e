import { perElement } from './cost.ts';
import { expectShape, f32, notDifferentiable, operand } from './infer.ts';
import type { OpDef } from './op-def.ts';

/**
 * One Adam step in the epsilon-hat form of Keras, in place.
 *
 * m ← beta1·m + (1 − beta1)·gradient; v ← beta2·v + (1 − beta2)·gradient²; parameter ← parameter − stepSize·m/(√v + epsilon).
 * stepSize = learningRate·√(1 − beta2^t)/(1 − beta1^t) comes from the host, in float64: see {@link adamStepSize}.
 *
 * @shape parameter, m, v, gradient  all the same
 * @shape stepSize  scalar
 * @source Kingma & Ba 2015, end of §2
 */
export const adam: OpDef<'adam'> = {
  kind: 'adam',
  operands: () => ['parameter', 'm', 'v', 'gradient', 'stepSize'],
  results: ['parameter', 'm', 'v'],
  infer(inputs) {
    const { shape } = operand(inputs, 0, 'parameter');
    ['m', 'v', 'gradient'].forEach((name, i) =>
      expectShape(operand(inputs, i + 1, name), name, shape, 'like the parameter'),
    );
    expectShape(operand(inputs, 4, 'stepSize'), 'stepSize', [], '(a scalar)');
    return [f32(shape), f32(shape), f32(shape)];
  },
  vjp: notDifferentiable('adam'),
  cost: perElement(12),
  aliases: [
    { output: 0, input: 0, kind: 'update' },
    { output: 1, input: 1, kind: 'update' },
    { output: 2, input: 2, kind: 'update' },
  ],
};

/** The bias-corrected rate of Adam's step t (1 for the first): learningRate·√(1 − beta2^t)/(1 − beta1^t). */
export function adamStepSize(learningRate: number, t: number, beta1: number, beta2: number): number {
  return (learningRate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
}

/** accumulator ← accumulator + x, in place: sums of loss and metrics that stay on the device. */
export const assignAdd: OpDef<'assignAdd'> = {
  kind: 'assignAdd',
  operands: () => ['accumulator', 'x'],
  results: ['accumulator'],
  infer(inputs) {
    const { shape } = operand(inputs, 0, 'accumulator');
    expectShape(operand(inputs, 1, 'x'), 'x', shape, 'like the accumulator');
    return [f32(shape)];
  },
  vjp: notDifferentiable('assignAdd'),
  cost: perElement(1),
  aliases: [{ output: 0, input: 0, kind: 'update' }],
};
