import type { TensorSpec } from '@skiplane/core';
import type { ShaderName } from '../generated/sources.ts';
import { ceilDiv, fold, input, output, single, spec, type Lowering, type Lower } from './lowering.ts';

/** One invocation a row of [batch, classes]: inputs in order, then the output. */
function byRow(
  shader: ShaderName,
  rows: TensorSpec,
  inputs: number,
  constants: Readonly<Record<string, number>> = {},
): Lowering {
  const [batch = 0, classes = 0] = rows.shape;
  return single(shader, {
    shader,
    constants: { batch, classes, ...constants },
    bindings: [...Array.from({ length: inputs }, (_, index) => input(index)), output(0)],
    workgroups: fold(ceilDiv(batch, 64)),
  });
}

export const softmax: Lower<'softmax'> = ({ inputs }) => byRow('softmax', spec(inputs, 0), 1);

export const softmaxGrad: Lower<'softmaxGrad'> = ({ inputs }) => byRow('softmax-grad', spec(inputs, 0), 2);

/** What makes a smoothed label of one: (1 − labelSmoothing)·label + labelSmoothing/classes. */
const smoothing = (labelSmoothing: number, { shape }: TensorSpec) => ({
  labelScale: 1 - labelSmoothing,
  labelOffset: labelSmoothing / (shape[1] ?? 1),
});

export const softmaxCrossEntropy: Lower<'softmaxCrossEntropy'> = ({ attrs: { labelSmoothing }, inputs }) =>
  byRow('softmax-cross-entropy', spec(inputs, 0), 2, smoothing(labelSmoothing, spec(inputs, 0)));

export const softmaxCrossEntropyGrad: Lower<'softmaxCrossEntropyGrad'> = ({ attrs: { labelSmoothing }, inputs }) =>
  byRow('softmax-cross-entropy-grad', spec(inputs, 1), 3, {
    ...smoothing(labelSmoothing, spec(inputs, 1)),
    labelSmoothing,
  });

export const topKCorrect: Lower<'topKCorrect'> = ({ attrs: { k }, inputs }) =>
  byRow('top-k-correct', spec(inputs, 0), 2, { k });
