import { describe, expect, it } from 'vitest';
import {
  batchBuffers,
  BatchPreparer,
  createPreprocessing,
  decodeCheckpoint,
  encodeCheckpoint,
  initialParameters,
  parameterSpecs,
  TrainingStep,
  TrainingTensors,
  type LossScale,
  type OptimizerSettings,
  type Parameters,
  type TrainOptions,
} from '../src/index.ts';
import { digest } from './support/digest.ts';
import { roundingBackend } from './support/rounding-backend.ts';
import { runAll, tinyModel, tinyOptionsByRecipe, tinyTrain } from './support/tiny.ts';

const adam = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;
const optimizers: readonly OptimizerSettings[] = [
  adam,
  { ...adam, kind: 'adamW', weightDecay: 0.5, excludeFromWeightDecay: ['bias'] },
  { kind: 'sgd', momentum: 0.9, nesterov: true },
];

const specs = parameterSpecs(tinyModel);
const parameters = initialParameters(tinyModel, 1);
const batch = 2;
const buffers = batchBuffers(tinyTrain, batch);
new BatchPreparer(tinyTrain, createPreprocessing(tinyTrain)).prepare(null, 0, batch, buffers, null);
const rate = 1e-3;

/** Steps of one optimizer with a loss scale. */
async function open(optimizer: OptimizerSettings, lossScale: LossScale) {
  const backend = roundingBackend();
  const state = { optimizer: {}, lossScale, metrics: { loss: 0, correct: 0 } };
  const options = { optimizer, lossScaling: true };
  const tensors = new TrainingTensors(backend, tinyModel.name, specs, parameters, state, options);
  const step = await TrainingStep.compile(backend, tinyModel, tensors, { batch, optimizer });
  const read = async () => ({
    weights: trainableOf(await tensors.readParameters()),
    optimizer: await tensors.readOptimizer(),
    lossScale: await tensors.readLossScale(),
  });
  return { step, tensors, read };
}

/** One epoch by an optimizer, with a checkpoint after every step. */
const options = (optimizer: OptimizerSettings, changes: Partial<TrainOptions> = {}) =>
  tinyOptionsByRecipe({ extends: 'keras', epochs: 1, batchSize: 4, optimizer }, changes);

const trainableOf = (all: Parameters): Parameters =>
  new Map(specs.filter(({ trainable }) => trainable).map(({ name }) => [name, all.get(name) ?? new Float32Array()]));

/** Labels whose loss is infinite: in float64 nothing overflows by itself. */
const overflowing = {
  ...buffers,
  labels: buffers.labels.map((label, i) => (i === 0 ? Number.POSITIVE_INFINITY : label)),
};

describe('a scaled loss', () => {
  it('changes little where nothing underflows, and resumes to the same bits', async () => {
    const plain = await runAll(options(adam));
    const whole = await runAll(options(adam, { lossScaling: true }));
    const { training } = whole.result.checkpoint;
    expect(training?.lossScale).toEqual({ scale: 2 ** 15, goodSteps: 3 });
    expect(plain.result.checkpoint.training?.lossScale).toBeNull();
    expect(whole.result.history[0]?.loss).toBeCloseTo(plain.result.history[0]?.loss ?? 0, 5);
    const checkpoint = whole.checkpoints.find((saved) => saved.training?.step === 1);
    if (checkpoint === undefined) throw new Error('no checkpoint after a step');
    const reloaded = decodeCheckpoint(encodeCheckpoint(checkpoint));
    expect(reloaded.training?.lossScale?.goodSteps).toBe(1);
    const { result } = await runAll(options(adam, { lossScaling: true, checkpoint: reloaded }));
    expect(digest(result.checkpoint)).toBe(digest(whole.result.checkpoint));
    const other = runAll(options(adam, { checkpoint: whole.result.checkpoint }));
    await expect(other).rejects.toThrow('loss scaling, for activations in f16, is false, but was true');
  }, 60_000);

  it('grows after steps enough without an overflow', async () => {
    const { step, read } = await open(adam, { scale: 2 ** 10, goodSteps: 1999 });
    await step.run(buffers, rate, 0);
    expect((await read()).lossScale).toEqual({ scale: 2 ** 11, goodSteps: 0 });
  });

  it.each(optimizers)(
    'that overflows with $kind is halved and changes neither weights nor state; the next step is as if nothing had been',
    async (optimizer) => {
      const { step, read } = await open(optimizer, { scale: 2 ** 16, goodSteps: 5 });
      await step.run(buffers, rate, 0);
      const before = await read();
      expect(before.lossScale).toEqual({ scale: 2 ** 16, goodSteps: 6 });
      await step.run(overflowing, rate, 1);
      expect(await read()).toEqual({ ...before, lossScale: { scale: 2 ** 15, goodSteps: 0 } });
      await step.run(buffers, rate, 2);
      const after = await read();
      expect(after.lossScale).toEqual({ scale: 2 ** 15, goodSteps: 1 });

      // Without the overflow. Powers of two as scales change no bit in float64.
      const smooth = await open(optimizer, { scale: 2 ** 15, goodSteps: 0 });
      await smooth.step.run(buffers, rate, 0);
      await smooth.step.run(buffers, rate, 2);
      const expected = await smooth.read();
      expect(after.weights).toEqual(expected.weights);
      expect(after.optimizer).toEqual(expected.optimizer);
    },
  );
});
