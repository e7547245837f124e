import { record, single, spec, type Lower } from './lowering.ts';
import { batchAndClasses } from './softmax.ts';

/** What makes a smoothed label of one: (1 − labelSmoothing)·label + labelSmoothing/classes. */
const smoothing = (labelSmoothing: number, classes: number) => ({
  labelScale: 1 - labelSmoothing,
  labelOffset: labelSmoothing / classes,
});

export const softmaxGrad: Lower<'softmaxGrad'> = ({ inputs }) => {
  const sizes = batchAndClasses(spec(inputs, 0));
  return single('softmaxGrad', (at) => [
    record('softmaxGrad', sizes.batch, { dy: at.input(0), y: at.input(1), dx: at.output(0), ...sizes }),
  ]);
};

export const softmaxCrossEntropy: Lower<'softmaxCrossEntropy'> = ({ attrs: { labelSmoothing }, inputs }) => {
  const sizes = batchAndClasses(spec(inputs, 0));
  return single('softmaxCrossEntropy', (at) => [
    record('softmaxCrossEntropy', sizes.batch, {
      logits: at.input(0),
      labels: at.input(1),
      losses: at.output(0),
      ...sizes,
      ...smoothing(labelSmoothing, sizes.classes),
    }),
  ]);
};

export const softmaxCrossEntropyGrad: Lower<'softmaxCrossEntropyGrad'> = ({ attrs: { labelSmoothing }, inputs }) => {
  const sizes = batchAndClasses(spec(inputs, 1));
  return single('softmaxCrossEntropyGrad', (at) => [
    record('softmaxCrossEntropyGrad', sizes.batch, {
      dLosses: at.input(0),
      logits: at.input(1),
      labels: at.input(2),
      dLogits: at.output(0),
      ...sizes,
      ...smoothing(labelSmoothing, sizes.classes),
    }),
  ]);
};

export const topKCorrect: Lower<'topKCorrect'> = ({ attrs, inputs }) => {
  const sizes = batchAndClasses(spec(inputs, 0));
  return single('topKCorrect', (at) => [
    record('topKCorrect', sizes.batch, {
      logits: at.input(0),
      labels: at.input(1),
      correct: at.output(0),
      k: attrs.k,
      ...sizes,
    }),
  ]);
};
