import type { TensorSpec } from '../tensor.ts';
import type { GuardedAttrs } from './attrs.ts';
import { perElement } from './cost.ts';
import { expectShape, f32, notDifferentiable, operand } from './infer.ts';
import type { Alias, OpDef } from './op-def.ts';

const inPlace = (...operands: readonly number[]): readonly Alias[] =>
  operands.map((at) => ({ output: at, input: at, kind: 'update' }));

const normOf = ({ guarded = false }: GuardedAttrs): readonly string[] => (guarded ? ['norm'] : []);

/** Specs of the updated tensors: the parameter and its `state`, which are followed by the gradient and then by `scalars`. */
function updated(
  inputs: readonly TensorSpec[],
  state: readonly string[],
  scalars: readonly string[],
): readonly TensorSpec[] {
  const { shape } = operand(inputs, 0, 'parameter');
  const alike = [...state, 'gradient'];
  alike.forEach((name, i) => expectShape(operand(inputs, i + 1, name), name, shape, 'like the parameter'));
  scalars.forEach((name, i) => expectShape(operand(inputs, alike.length + 1 + i, name), name, [], '(a scalar)'));
  return alike.map(() => f32(shape));
}

/**
 * One Adam step in the epsilon-hat form of Keras, in place.
 *
 * m ← beta1·m + (1 − beta1)·gradient; v ← beta2·v + (1 − beta2)·gradient²; parameter ← parameter − stepSize·m/(√v + epsilon).
 * stepSize = learningRate·√(1 − beta2^t)/(1 − beta1^t) comes from the host, in float64: see {@link adamStepSize}.
 *
 * @shape parameter, m, v, gradient  all the same
 * @shape stepSize  scalar
 * @shape norm  scalar, of a guarded step: see {@link GuardedAttrs}
 * @source Kingma & Ba 2015, end of §2
 */
export const adam: OpDef<'adam'> = {
  kind: 'adam',
  operands: (attrs) => ['parameter', 'm', 'v', 'gradient', 'stepSize', ...normOf(attrs)],
  results: ['parameter', 'm', 'v'],
  infer: (inputs, attrs) => updated(inputs, ['m', 'v'], ['stepSize', ...normOf(attrs)]),
  vjp: notDifferentiable('adam'),
  cost: perElement(12),
  aliases: inPlace(0, 1, 2),
};

/**
 * One step of Adam with decoupled weight decay, in place: parameter ← parameter − decay·parameter, then a step as of {@link adam}.
 *
 * decay = learningRate·weightDecay, with the rate as it is now, not corrected for bias.
 *
 * @shape parameter, m, v, gradient  all the same
 * @shape stepSize, decay  scalars
 * @shape norm  scalar, of a guarded step: see {@link GuardedAttrs}
 * @source Loshchilov & Hutter 2019, algorithm 2, in the form of Keras's AdamW
 */
export const adamW: OpDef<'adamW'> = {
  kind: 'adamW',
  operands: (attrs) => ['parameter', 'm', 'v', 'gradient', 'stepSize', 'decay', ...normOf(attrs)],
  results: ['parameter', 'm', 'v'],
  infer: (inputs, attrs) => updated(inputs, ['m', 'v'], ['stepSize', 'decay', ...normOf(attrs)]),
  vjp: notDifferentiable('adamW'),
  cost: perElement(14),
  aliases: inPlace(0, 1, 2),
};

/**
 * One step of stochastic gradient descent with momentum, in place, in the form of Keras.
 *
 * m ← momentum·m − learningRate·gradient; parameter ← parameter + m, or with `nesterov`
 * parameter ← parameter + momentum·m − learningRate·gradient, m being the new one. Momentum 0 is plain gradient descent.
 * Unlike in forms that put the rate in front of m, a new learning rate leaves the speed already gained as it is.
 *
 * @shape parameter, m, gradient  all the same
 * @shape learningRate  scalar
 * @shape norm  scalar, of a guarded step: see {@link GuardedAttrs}
 * @source Sutskever et al. 2013, §2
 */
export const sgdMomentum: OpDef<'sgdMomentum'> = {
  kind: 'sgdMomentum',
  operands: (attrs) => ['parameter', 'm', 'gradient', 'learningRate', ...normOf(attrs)],
  results: ['parameter', 'm'],
  infer: (inputs, attrs) => updated(inputs, ['m'], ['learningRate', ...normOf(attrs)]),
  vjp: notDifferentiable('sgdMomentum'),
  cost: perElement(5),
  aliases: inPlace(0, 1),
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
  aliases: inPlace(0),
};
