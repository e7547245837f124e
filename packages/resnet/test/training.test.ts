import { adamStepSize, NumericError, ValueError } from '@skiplane/core';
import { describe, expect, it } from 'vitest';
import {
  BatchPreparer,
  batchBuffers,
  createPreprocessing,
  epochOrder,
  evaluateModel,
  initialParameters,
  kerasAugmentation,
  l2Penalty,
  modelConfig,
  parameterSpecs,
  syntheticDataset,
  train,
  TrainingStep,
  TrainingTensors,
  type Parameters,
  type RecipeChanges,
  type TrainEvent,
  type TrainOptions,
} from '../src/index.ts';
import { digest } from './support/digest.ts';
import { roundingBackend } from './support/rounding-backend.ts';
import { runAll, tinyModel, tinyOptions, tinyTrain, tinyValidation } from './support/tiny.ts';

const typesOf = (events: readonly TrainEvent[]): string[] => events.map(({ type }) => type);
const ofType = <T extends TrainEvent['type']>(events: readonly TrainEvent[], type: T) =>
  events.filter((event): event is Extract<TrainEvent, { type: T }> => event.type === type);

/** Digest of the checkpoint after one epoch. */
const bytesOf = async (changes: Partial<TrainOptions>): Promise<string> =>
  digest((await runAll(tinyOptions({ epochs: 1, ...changes }))).result.checkpoint);

/** Digest of each tensor. */
const digestOf = (tensors: Parameters = new Map()): Record<string, string> =>
  Object.fromEntries([...tensors].map(([name, { buffer }]) => [name, digest(new Uint8Array(buffer))]));

describe('train', () => {
  it('yields a start, the progress, and for every epoch its record and its checkpoint', async () => {
    const { events, result } = await runAll(tinyOptions());
    expect(typesOf(events)).toEqual(['start', 'progress', 'epoch', 'checkpoint', 'progress', 'epoch', 'checkpoint']);
    expect(events[0]).toMatchObject({
      device: 'float64 loops',
      trainCount: 11,
      validationCount: 7,
      batchSize: 4,
      epochs: 2,
      steps: 3,
      epoch: 1,
      step: 0,
      globalStep: 0,
    });
    expect(ofType(events, 'start')[0]?.parameters).toEqual({ total: 78_666, trainable: 78_186, nonTrainable: 480 });
    expect(ofType(events, 'epoch').map(({ record, globalStep }) => [record.epoch, globalStep])).toEqual([
      [1, 3],
      [2, 6],
    ]);
    expect(ofType(events, 'checkpoint').map(({ reason }) => reason)).toEqual(['epoch', 'epoch']);
    expect(result).toMatchObject({ interrupted: false });
    expect(result.history.map(({ epoch, learningRate }) => [epoch, learningRate])).toEqual([
      [1, 1e-3],
      [2, 1e-3],
    ]);
    const { training } = result.checkpoint;
    expect(training).toMatchObject({ step: 6, epochsDone: 2, position: 0, metrics: { loss: 0, correct: 0 } });
    expect(training?.history).toEqual(result.history);
  });

  it('keeps clock times out of history and checkpoints', async () => {
    const { events, result } = await runAll(tinyOptions({ epochs: 1 }));
    expect(Object.keys(result.history[0] ?? {}).toSorted()).toEqual([
      'accuracy',
      'epoch',
      'learningRate',
      'loss',
      'valAccuracy',
      'valLoss',
    ]);
    const record = ofType(events, 'epoch')[0]?.record;
    expect(record?.imagesPerSecond).toBeGreaterThan(0);
    expect(record?.seconds).toBeGreaterThan(0);
  });

  it('reports progress and validation as often as asked', async () => {
    const { events } = await runAll(tinyOptions({ epochs: 1, progressSeconds: 0 }));
    const progress = ofType(events, 'progress');
    expect(progress.map(({ step, steps, globalStep, epoch }) => [step, steps, globalStep, epoch])).toEqual([
      [1, 3, 1, 1],
      [2, 3, 2, 1],
      [3, 3, 3, 1],
    ]);
    expect(
      progress.every(({ loss, accuracy, imagesPerSecond }) => loss > 2 && accuracy >= 0 && imagesPerSecond > 0),
    ).toBe(true);
    expect(progress.at(-1)?.secondsLeft).toBe(0);
    expect(progress.at(-1)?.loss).toBe(ofType(events, 'epoch')[0]?.record.loss);
    expect(ofType(events, 'validation').map(({ done, count }) => [done, count])).toEqual([
      [4, 7],
      [7, 7],
    ]);
  });

  it('reads the loss rarely when not asked for more', async () => {
    const { events } = await runAll(tinyOptions({ epochs: 1 }));
    expect(ofType(events, 'progress')).toHaveLength(1);
  });

  it('drops other elements at every step and with every seed', async () => {
    const model = modelConfig('he8-dropout-shortcut', { imageSize: [4, 4] });
    const buffers = batchBuffers(tinyTrain, 4);
    new BatchPreparer(tinyTrain, createPreprocessing(tinyTrain)).prepare(null, 0, 4, buffers, null);
    const lossOf = async (seed: number, step: number): Promise<number> => {
      const backend = roundingBackend();
      using tensors = new TrainingTensors(backend, model.name, parameterSpecs(model), initialParameters(model, 1));
      using training = await TrainingStep.compile(backend, model, tensors, { batch: 4, seed });
      await training.run(buffers, 0, step);
      return (await tensors.readMetrics()).loss;
    };
    const losses = [await lossOf(1, 0), await lossOf(1, 1), await lossOf(2, 0), await lossOf(2 ** 32 + 1, 0)];
    expect(new Set(losses).size).toBe(4);
    expect(await lossOf(1, 0)).toBe(losses[0]);
  });

  it('is the loop that one would write by hand', async () => {
    const { result } = await runAll(tinyOptions({ epochs: 2 }));
    const backend = roundingBackend();
    const preprocessing = createPreprocessing(tinyTrain);
    const tensors = new TrainingTensors(
      backend,
      tinyModel.name,
      parameterSpecs(tinyModel),
      initialParameters(tinyModel, 1),
    );
    const steps = [
      await TrainingStep.compile(backend, tinyModel, tensors, { batch: 4 }),
      await TrainingStep.compile(backend, tinyModel, tensors, { batch: 3 }),
    ];
    const batches = new BatchPreparer(tinyTrain, preprocessing);
    for (const epoch of [0, 1]) {
      tensors.zeroMetrics();
      const order = epochOrder(1, epoch, 11);
      for (const [index, from] of [0, 4, 8].entries()) {
        const step = steps[from === 8 ? 1 : 0];
        const buffers = batchBuffers(tinyTrain, step?.batch ?? 0);
        batches.prepare(order, from, step?.batch ?? 0, buffers, { ...kerasAugmentation, seed: 1, epoch });
        await step?.run(buffers, 1e-3, epoch * 3 + index);
      }
      const metrics = await tensors.readMetrics();
      expect(metrics.loss / 11).toBe(result.history[epoch]?.loss);
      expect(metrics.correct / 11).toBe(result.history[epoch]?.accuracy);
    }
    expect(digestOf(await tensors.readParameters())).toEqual(digestOf(result.checkpoint.parameters));
    const { m, v } = await tensors.readOptimizer();
    const saved = result.checkpoint.training?.optimizer;
    expect(digestOf(m)).toEqual(digestOf(saved?.['m']));
    expect(digestOf(v)).toEqual(digestOf(saved?.['v']));
  });

  it('takes Adam steps of Keras: the first moves every weight by nearly the rate', async () => {
    expect(adamStepSize(1e-3, 1, 0.9, 0.999)).toBeCloseTo((1e-3 * Math.sqrt(0.001)) / 0.1, 12);
    const { result } = await runAll(tinyOptions({ epochs: 1, batchSize: 11 }));
    const before = initialParameters(tinyModel, 1).get('head/dense/kernel') ?? new Float32Array();
    const after = result.checkpoint.parameters.get('head/dense/kernel') ?? new Float32Array();
    const moves = [...before].map((value, i) => Math.abs((after[i] ?? 0) - value)).toSorted((a, b) => a - b);
    expect(moves[Math.floor(moves.length / 2)]).toBeCloseTo(1e-3, 5);
    expect(moves.at(-1)).toBeLessThan(1.001e-3);
  });

  it('adds the L2 penalty of the new weights to the validation loss', async () => {
    const { result } = await runAll(tinyOptions({ epochs: 1, learningRate: 1e-9 }));
    const penalty = l2Penalty(parameterSpecs(tinyModel), result.checkpoint.parameters);
    expect(penalty).toBeGreaterThan(0.05);
    expect(result.history[0]?.valLoss).toBeGreaterThan(penalty);
    const { valLoss = 0, valAccuracy } = result.history[0] ?? {};
    const evaluation = await evaluateModel({
      backend: roundingBackend(),
      ...result.checkpoint,
      data: tinyValidation,
      batchSize: 4,
    });
    expect(evaluation.loss).toBe(valLoss);
    expect(evaluation.accuracy).toBe(valAccuracy);
  });

  it('learns: the loss falls and the training images are told apart', async () => {
    const data = syntheticDataset({ count: 20, seed: 3, split: 'train', size: 8 });
    const model = modelConfig('resnet8v1', { imageSize: [8, 8] });
    const { result } = await runAll(
      tinyOptions({
        model,
        train: data,
        validation: data,
        epochs: 12,
        batchSize: 10,
        augment: false,
        learningRate: 3e-3,
      }),
    );
    const [begin, end] = [result.history[0], result.history.at(-1)];
    expect(begin?.loss).toBeGreaterThan(2);
    expect(end?.loss).toBeLessThan(0.6 * (begin?.loss ?? 0));
    expect(end?.accuracy).toBeGreaterThan(0.9);
  }, 60_000);

  it('gives the same bytes twice, and others with another seed or without augmentation', async () => {
    const bytes = await bytesOf({});
    expect(await bytesOf({})).toBe(bytes);
    expect(await bytesOf({ seed: 2 })).not.toBe(bytes);
    expect(await bytesOf({ augment: false })).not.toBe(bytes);
    const changed = (changes: RecipeChanges): Promise<string> => bytesOf({ recipe: { extends: 'keras', ...changes } });
    expect(await changed({})).toBe(bytes);
    expect(await changed({ augmentation: { kind: 'shift', interpolationOrder: 0 } })).not.toBe(bytes);
    expect(await changed({ batchNorm: { movingVariance: 'unbiased' } })).not.toBe(bytes);
    expect(await changed({ batchNorm: { momentum: 0.9 } })).not.toBe(bytes);
    expect(await changed({ l2: { filters: 0 } })).not.toBe(bytes);
    expect(await changed({ l2: { dense: 1e-4 } })).not.toBe(bytes);
    expect(await changed({ labelSmoothing: 0.1 })).not.toBe(bytes);
  });

  it('handles fewer images than a batch, and batches that fit', async () => {
    expect((await runAll(tinyOptions({ epochs: 1, batchSize: 64 }))).result.checkpoint.training?.step).toBe(1);
    expect((await runAll(tinyOptions({ epochs: 1, batchSize: 11 }))).result.checkpoint.training?.step).toBe(1);
    expect((await runAll(tinyOptions({ epochs: 1, batchSize: 1 }))).result.checkpoint.training?.step).toBe(11);
  });

  it('keeps as best the first epoch of the highest validation accuracy', async () => {
    const { events, result } = await runAll(tinyOptions({ epochs: 5, learningRate: 1e-9 }));
    expect(new Set(result.history.map(({ valAccuracy }) => valAccuracy)).size).toBeGreaterThanOrEqual(1);
    let best = -1;
    const expected = result.history.map(({ valAccuracy }) => {
      const better = valAccuracy > best;
      if (better) best = valAccuracy;
      return better;
    });
    expect(ofType(events, 'checkpoint').map((event) => event.best)).toEqual(expected);
    expect(expected[0]).toBe(true);
    expect(result.best).toEqual(result.history.find(({ valAccuracy }) => valAccuracy === best));
  });

  it('frees what it took, also when the loop over its events is left early', async () => {
    const backend = roundingBackend();
    await runAll(tinyOptions({ epochs: 1 }, backend));
    expect(backend.liveTensors()).toBe(0);
    for await (const event of train(tinyOptions({ progressSeconds: 0 }, backend))) if (event.type === 'progress') break;
    expect(backend.liveTensors()).toBe(0);
    await expect(runAll(tinyOptions({ learningRate: 1e30 }, backend))).rejects.toThrow(NumericError);
    expect(backend.liveTensors()).toBe(0);
  });
});

describe('train refuses', () => {
  it('options out of range, all at once', async () => {
    const bad = tinyOptions({ epochs: 0, batchSize: 2.5, seed: -1, learningRate: 0, saveSeconds: Number.NaN });
    const error = await runAll(bad).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ValueError);
    for (const name of [
      'epochs is 0',
      'batchSize is 2.5',
      'seed is -1',
      'learningRate.rate is 0',
      'saveSeconds is NaN',
    ]) {
      expect((error as ValueError).message).toContain(name);
    }
  });

  it('data that does not fit the model', async () => {
    const data = { ...syntheticDataset({ count: 5, seed: 1, split: 'train', size: 8 }), classNames: ['a', 'b'] };
    await expect(runAll(tinyOptions({ train: data }))).rejects.toThrow(
      /image height 8 where the model has 4; image width 8 .*classes 2 where the model has 10; label 2 of image 2 names no class/,
    );
    await expect(runAll(tinyOptions({ validation: { ...tinyValidation, count: 8 } }))).rejects.toThrow(
      /7 labels for 8 images/,
    );
  });
});

describe('a loss that leaves the finite numbers', () => {
  it('ends training with an error that says where and what to try', async () => {
    const error = await runAll(tinyOptions({ learningRate: 1e30, progressSeconds: 0 })).catch(
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(NumericError);
    const { message, details } = error as NumericError;
    expect(message).toMatch(/training of resnet8v1 failed: the loss is (NaN|Infinity) in epoch 1 at step \d of 3/);
    expect(message).toContain('learning rate 1e+30');
    expect(message).toContain('a smaller learning rate');
    expect(details).toMatchObject({ epoch: 1, learningRate: 1e30 });
  });

  it('is never saved', async () => {
    const saved: number[] = [];
    const run = runAll(tinyOptions({ learningRate: 1e30, saveSeconds: 0 }), (event) => {
      if (event.type === 'checkpoint') saved.push(event.checkpoint.training?.metrics.loss ?? Number.NaN);
    });
    await expect(run).rejects.toThrow(NumericError);
    expect(saved.every(Number.isFinite)).toBe(true);
  });
});
