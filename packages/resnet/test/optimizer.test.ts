import { createReferenceBackend } from '@skiplane/core/reference';
import { evaluate } from '@skiplane/core';
import { describe, expect, it } from 'vitest';
import {
  decodeCheckpoint,
  decodeSafetensors,
  encodeCheckpoint,
  initialParameters,
  lossGraph,
  parameterSpecs,
  trainingGraph,
  TrainingStep,
  TrainingTensors,
  type OptimizerSettings,
  type Parameters,
} from '../src/index.ts';
import { digest } from './support/digest.ts';
import { oneHot, signed } from './support/random.ts';
import { runAll, tinyModel, tinyOptionsByRecipe } from './support/tiny.ts';

const adam = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;
const adamW = { ...adam, kind: 'adamW', weightDecay: 0.5, excludeFromWeightDecay: ['bias', 'gamma', 'beta'] } as const;
const sgd = { kind: 'sgd', momentum: 0.9, nesterov: false } as const;
const nesterov = { ...sgd, nesterov: true };
const descent = { ...sgd, momentum: 0 };

const specs = parameterSpecs(tinyModel);
const trainable = specs.filter((spec) => spec.trainable).map(({ name }) => name);
const start = initialParameters(tinyModel, 1);
const batch = 3;
const images = Float32Array.from(signed('x', batch * 4 * 4 * 3));
const labels = oneHot(batch, 10);
const learningRate = 0.01;

/** The parameters after some steps on the same batch. */
async function after(optimizer: OptimizerSettings, steps = 1): Promise<Parameters> {
  using backend = createReferenceBackend();
  using tensors = new TrainingTensors(backend, tinyModel.name, specs, start, null, { optimizer });
  using step = await TrainingStep.compile(backend, tinyModel, tensors, { batch, optimizer });
  for (let at = 0; at < steps; at++) await step.run({ images, labels }, learningRate, at);
  return tensors.readParameters();
}

/** a + factor·(b − a), for every element of a parameter. */
const towards = (a: Float32Array, b: Float32Array, factor: number): number[] =>
  [...a].map((value, i) => value + factor * ((b[i] as number) - value));

function expectNear(actual: Float32Array = new Float32Array(), expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => expect(Math.abs(value - (expected[i] as number))).toBeLessThan(1e-6));
}

const at = (parameters: Parameters, name: string): Float32Array => parameters.get(name) ?? new Float32Array();

describe('one step', () => {
  it('with momentum is one of gradient descent, and goes 1.9 times as far with that of Nesterov', async () => {
    const [plain, withMomentum, further] = [await after(descent), await after(sgd), await after(nesterov)];
    for (const name of trainable) {
      expectNear(withMomentum.get(name), [...at(plain, name)]);
      expectNear(further.get(name), towards(at(start, name), at(plain, name), 1.9));
    }
  });

  it('of AdamW is one of Adam and a decay that the rate scales, but not of what is excluded', async () => {
    const [plain, decayed] = [await after(adam), await after(adamW)];
    for (const name of trainable) {
      const decay = /bias|gamma|beta/.test(name) ? 0 : learningRate * 0.5;
      const from = at(start, name);
      expectNear(
        decayed.get(name),
        [...at(plain, name)].map((value, i) => value - decay * (from[i] as number)),
      );
    }
  });

  it('of AdamW lets everything decay that is not excluded', async () => {
    const [plain, decayed] = [await after(adam), await after({ ...adamW, excludeFromWeightDecay: [] })];
    expectNear(
      decayed.get('stem/bn/gamma'),
      [...at(plain, 'stem/bn/gamma')].map((value) => value - learningRate * 0.5),
    );
  });
});

/** How far the last bias is from where it started. */
function distance(parameters: Parameters): number {
  const from = at(start, 'head/dense/bias');
  return Math.hypot(...[...at(parameters, 'head/dense/bias')].map((value, i) => value - (from[i] as number)));
}

it('momentum carries on: after steps along a steady gradient, the parameter has gone further than without', async () => {
  const [plain, withMomentum] = [await after(descent, 4), await after(sgd, 4)];
  expect(distance(withMomentum)).toBeGreaterThan(1.5 * distance(plain));
});

const kindsOf = (optimizer: OptimizerSettings): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { kind } of trainingGraph(tinyModel, { batch, optimizer }).graph.ops)
    if (['adam', 'adamW', 'sgdMomentum'].includes(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};

const statesOf = (optimizer: OptimizerSettings): readonly string[] =>
  trainingGraph(tinyModel, { batch, optimizer }).graph.values.flatMap(({ name }) =>
    name?.startsWith('optimizer/') ? [name] : [],
  );

describe('the training graph', () => {
  it('updates every trainable parameter once', () => {
    const decaying = trainable.filter((name) => /filter|kernel/.test(name)).length;
    expect(kindsOf(adam)).toEqual({ adam: trainable.length });
    expect(kindsOf(adamW)).toEqual({ adam: trainable.length - decaying, adamW: decaying });
    expect(kindsOf(sgd)).toEqual({ sgdMomentum: trainable.length });
  });

  it('has the state of its optimizer and no other', () => {
    const moments = trainable.flatMap((name) => [`optimizer/m/${name}`, `optimizer/v/${name}`]);
    expect(statesOf(adam)).toEqual(moments);
    expect(statesOf(adamW)).toEqual(moments);
    expect(statesOf(sgd)).toEqual(trainable.map((name) => `optimizer/momentum/${name}`));
  });

  it('smooths labels in the loss and not in the accuracy', async () => {
    const smoothing = 0.2;
    const lossOf = async (labelSmoothing: number, given: Float32Array): Promise<number> => {
      const { graph } = trainingGraph(tinyModel, { batch, labelSmoothing });
      const inputs = { ...Object.fromEntries(start), x: images, labels: given };
      const results = await evaluate(createReferenceBackend(), graph, inputs);
      return results['metrics/loss']?.[0] as number;
    };
    const byHand = labels.map((label) => (1 - smoothing) * label + smoothing / 10);
    const plain = await lossOf(0, labels);
    const smoothed = await lossOf(smoothing, labels);
    expect(smoothed).toBeCloseTo(await lossOf(0, byHand), 5);
    expect(Math.abs(smoothed - plain)).toBeGreaterThan(1e-3);
    const metrics = lossGraph(tinyModel, { batch, labelSmoothing: smoothing }).graph.ops;
    expect(metrics.filter(({ kind }) => kind === 'softmaxCrossEntropy').map(({ attrs }) => attrs)).toEqual([
      { labelSmoothing: smoothing },
    ]);
  });
});

describe.each<OptimizerSettings>([adamW, nesterov])('a run with $kind', (optimizer) => {
  const recipe = { extends: 'keras', epochs: 2, batchSize: 4, optimizer } as const;

  it('keeps its state in the checkpoint and goes on from it with the same bits', async () => {
    const whole = await runAll(tinyOptionsByRecipe(recipe, { saveSeconds: 0 }));
    const middle = whole.checkpoints.find(({ training }) => training?.position === 2 && training.epochsDone === 1);
    expect(middle).toBeDefined();
    const bytes = encodeCheckpoint(middle ?? whole.result.checkpoint);
    const slots = optimizer.kind === 'sgd' ? ['momentum'] : ['m', 'v'];
    const stored = [...decodeSafetensors(bytes).tensors.keys()].filter((name) => name.startsWith('optimizer/'));
    expect(new Set(stored)).toEqual(
      new Set(slots.flatMap((slot) => trainable.map((name) => `optimizer/${slot}/${name}`))),
    );
    const resumed = await runAll(tinyOptionsByRecipe(recipe, { checkpoint: decodeCheckpoint(bytes) }));
    expect(digest(resumed.result.checkpoint)).toBe(digest(whole.result.checkpoint));
  }, 60_000);
});
