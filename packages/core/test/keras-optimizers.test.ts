import { expect, test } from 'vitest';
import { adamStepSize, type OpAttrs, type OpKind } from '../src/index.ts';
import { runSingleOp, type OperandData } from './support/single-op.ts';
import { scalar, tensor } from './support/tensor-data.ts';

/** Four steps on three weights with given gradients, and what Keras 3.15.1 makes of them in float64. */
const weights = [0.5, -1.25, 2];
const gradients = [
  [0.1, -0.2, 0.3],
  [-0.4, 0.5, -0.6],
  [0.7, 0.8, 0],
  [0.01, -0.02, 5],
];
const learningRates = [0.1, 0.1, 0.01, 0.01];
const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-7];
const stepSize = (learningRate: number, step: number): number => adamStepSize(learningRate, step + 1, beta1, beta2);
const moments = {
  m: [0.03888999999999999, 0.09591999999999999, 0.4732699999999999],
  v: [0.0006592601899900006, 0.0009291403699600009, 0.02544901062991002],
};
const momentum = [0.01871, -0.03292, -0.02327];

interface Steps<K extends OpKind> {
  readonly kind: K;
  readonly attrs: OpAttrs[K];
  readonly state: readonly string[];
  readonly scalars: Readonly<Record<string, (learningRate: number, step: number) => number>>;
}

/** The parameter and the state after all steps. */
async function run<K extends OpKind>({ kind, attrs, state, scalars }: Steps<K>): Promise<Record<string, number[]>> {
  let values: Record<string, number[]> = { parameter: weights };
  for (const name of state) values[name] = [0, 0, 0];
  for (const [step, learningRate] of learningRates.entries()) {
    const operands: Record<string, OperandData[string]> = { gradient: tensor([3], ...(gradients[step] ?? [])) };
    for (const [name, data] of Object.entries(values)) operands[name] = tensor([3], ...data);
    for (const [name, valueAt] of Object.entries(scalars)) operands[name] = scalar(valueAt(learningRate, step));
    values = await runSingleOp(kind, attrs, operands);
  }
  return values;
}

const sgd = (momentumOf: number, nesterov: boolean) =>
  run({
    kind: 'sgdMomentum',
    attrs: { momentum: momentumOf, nesterov },
    state: ['m'],
    scalars: { learningRate: (rate) => rate },
  });

const cases: Readonly<Record<string, readonly [() => Promise<Record<string, number[]>>, Record<string, number[]>]>> = {
  'SGD without momentum': [() => sgd(0, false), { parameter: [0.5229, -1.2878, 1.98] }],
  'SGD with momentum': [() => sgd(0.9, false), { parameter: [0.56061, -1.33172, 2.00943], m: momentum }],
  'SGD with the momentum of Nesterov': [
    () => sgd(0.9, true),
    { parameter: [0.577449, -1.361348, 1.988487], m: momentum },
  ],
  Adam: [
    () => run({ kind: 'adam', attrs: { beta1, beta2, epsilon }, state: ['m', 'v'], scalars: { stepSize } }),
    { parameter: [0.4498587874285375, -1.2072140330991603, 1.933989343814655], ...moments },
  ],
  'AdamW with weight_decay=0.04': [
    () =>
      run({
        kind: 'adamW',
        attrs: { beta1, beta2, epsilon },
        state: ['m', 'v'],
        scalars: { stepSize, decay: (learningRate) => learningRate * 0.04 },
      }),
    { parameter: [0.445906282648805, -1.196683618695479, 1.91688368039026], ...moments },
  ],
};

test.each(Object.entries(cases))('steps like Keras: %s', async (_, [steps, expected]) => {
  const values = await steps();
  for (const [name, numbers] of Object.entries(expected))
    numbers.forEach((number, i) => expect(values[name]?.[i]).toBeCloseTo(number, 13));
});

/** Keras's CategoricalCrossentropy(from_logits=True, label_smoothing=…) and its gradient, in float64. */
const losses = [
  {
    labelSmoothing: 0.1,
    expected: [4.939753447679354, 0.36745511603656095],
    gradient: [
      [0.08555375036173922, -0.9194958528724164, 0.042054239140611474, 0.7918878633700657],
      [-0.007445678429266853, -0.007445678429266853, 0.03343348284894854, -0.018542125990414896],
    ],
  },
  {
    labelSmoothing: 1,
    expected: [2.577253447679352, 3.292455116036561],
    gradient: [
      [-0.13944624963826077, -0.24449585287241632, -0.18294576085938852, 0.5668878633700657],
      [-0.23244567842926686, -0.23244567842926686, 0.7084334828489486, -0.2435421259904149],
    ],
  },
];

test.each(losses)('smooths labels like Keras: $labelSmoothing', async ({ labelSmoothing, expected, gradient }) => {
  const logits = tensor([2, 4], 1, -2, 0.5, 3, 0, 0, 4, -1);
  const labels = tensor([2, 4], 0, 1, 0, 0, 0, 0, 1, 0);
  const { losses: actual } = await runSingleOp('softmaxCrossEntropy', { labelSmoothing }, { logits, labels });
  expected.forEach((loss, n) => expect(actual?.[n]).toBeCloseTo(loss, 12));
  const dLosses = tensor([2], 1, 1);
  const { dLogits } = await runSingleOp('softmaxCrossEntropyGrad', { labelSmoothing }, { dLosses, logits, labels });
  gradient.flat().forEach((element, i) => expect(dLogits?.[i]).toBeCloseTo(element, 12));
});
