import { ShapeError } from '../errors.ts';
import type { TensorSpec } from '../tensor.ts';
import { perElement } from './cost.ts';
import { expectShape, f32, notDifferentiable, operand, rank2 } from './infer.ts';
import type { OpDef } from './op-def.ts';

const classAxes = 'batch,classes';

function checkSmoothing(labelSmoothing: number): void {
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new ShapeError(`labelSmoothing of ${labelSmoothing} must be from 0 to 1`);
}

function logitsAndLabels(inputs: readonly TensorSpec[], first: number): readonly [batch: number, classes: number] {
  const shape = rank2(operand(inputs, first, 'logits'), 'logits', classAxes);
  expectShape(operand(inputs, first + 1, 'labels'), 'labels', shape, 'like logits');
  return shape;
}

/**
 * y[n,k] = e^(x[n,k] − max_j x[n,j]) / Σ_j e^(x[n,j] − max x[n])
 *
 * @shape x, returns [batch, classes]
 */
export const softmax: OpDef<'softmax'> = {
  kind: 'softmax',
  operands: () => ['x'],
  results: ['y'],
  infer: (inputs) => [f32(rank2(operand(inputs, 0, 'x'), 'x', classAxes))],
  vjp: (build, { outputs: [y] }, [dy]) => [dy == null || y === undefined ? null : build.op('softmaxGrad', [dy, y], {})],
  cost: perElement(12),
};

/** Gradient of {@link softmax} from its output: dx = y·(dy − Σ_j dy_j·y_j). */
export const softmaxGrad: OpDef<'softmaxGrad'> = {
  kind: 'softmaxGrad',
  operands: () => ['dy', 'y'],
  results: ['dx'],
  infer(inputs) {
    const shape = rank2(operand(inputs, 0, 'dy'), 'dy', classAxes);
    expectShape(operand(inputs, 1, 'y'), 'y', shape, 'like dy');
    return [f32(shape)];
  },
  vjp: notDifferentiable('softmaxGrad'),
  cost: perElement(4),
};

/**
 * Categorical cross-entropy of each example, from logits and a distribution of labels (one-hot, or any other).
 *
 * losses[n] = Σ_k smoothed[n,k]·(log Σ_j e^(logits[n,j]) − logits[n,k])
 * smoothed  = (1 − labelSmoothing)·labels + labelSmoothing/classes, labelSmoothing from 0, which leaves labels as they are, to 1
 *
 * @shape logits, labels [batch, classes]
 * @shape returns        [batch]
 * @source Szegedy et al. 2016, §7, in the form of Keras's CategoricalCrossentropy
 */
export const softmaxCrossEntropy: OpDef<'softmaxCrossEntropy'> = {
  kind: 'softmaxCrossEntropy',
  operands: () => ['logits', 'labels'],
  results: ['losses'],
  infer(inputs, { labelSmoothing }) {
    checkSmoothing(labelSmoothing);
    return [f32([logitsAndLabels(inputs, 0)[0]])];
  },
  vjp: (build, { attrs, inputs: [logits, labels] }, [dLosses]) => [
    dLosses == null || logits === undefined || labels === undefined
      ? null
      : build.op('softmaxCrossEntropyGrad', [dLosses, logits, labels], attrs),
    null,
  ],
  cost: perElement(16),
};

/**
 * Gradient of {@link softmaxCrossEntropy} with respect to the logits.
 *
 * dLogits[n,k] = dLosses[n]·(softmax(logits)[n,k]·Σ_j smoothed[n,j] − smoothed[n,k])
 *
 * @shape dLosses [batch]
 * @shape logits, labels, returns [batch, classes]
 */
export const softmaxCrossEntropyGrad: OpDef<'softmaxCrossEntropyGrad'> = {
  kind: 'softmaxCrossEntropyGrad',
  operands: () => ['dLosses', 'logits', 'labels'],
  results: ['dLogits'],
  infer(inputs, { labelSmoothing }) {
    checkSmoothing(labelSmoothing);
    const shape = logitsAndLabels(inputs, 1);
    expectShape(operand(inputs, 0, 'dLosses'), 'dLosses', [shape[0]], 'one an example');
    return [f32(shape)];
  },
  vjp: notDifferentiable('softmaxCrossEntropyGrad'),
  cost: perElement(17),
};

/**
 * 1 where the label of largest weight is among the k largest logits, else 0. Of equal logits the lower index ranks first;
 * a logit that is NaN makes its example 0.
 *
 * @shape logits, labels [batch, classes]
 * @shape returns        [batch]
 */
export const topKCorrect: OpDef<'topKCorrect'> = {
  kind: 'topKCorrect',
  operands: () => ['logits', 'labels'],
  results: ['correct'],
  infer(inputs, { k }) {
    const [batch, classes] = logitsAndLabels(inputs, 0);
    if (!Number.isInteger(k) || k < 1 || k > classes)
      throw new ShapeError(`k of ${k} must be 1 to ${classes}, the number of classes`);
    return [f32([batch])];
  },
  vjp: notDifferentiable('topKCorrect'),
  cost: perElement(2),
};
