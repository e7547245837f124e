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
} from '../src/index.ts';
import { digest } from './support/digest.ts';
import { roundingBackend } from './support/rounding-backend.ts';
import { runAll, tinyModel, tinyOptions, tinyTrain } from './support/tiny.ts';

describe('a scaled loss', () => {
  it('changes little where nothing underflows, and resumes to the same bits from every step', async () => {
    const scaled = { epochs: 1, lossScaling: true, saveSeconds: 0 } as const;
    const plain = await runAll(tinyOptions({ epochs: 1 }));
    const whole = await runAll(tinyOptions(scaled));
    const { training } = whole.result.checkpoint;
    expect(training?.optimizer.lossScale).toEqual({ scale: 2 ** 15, goodSteps: 3 });
    expect(plain.result.checkpoint.training?.optimizer.lossScale).toBeUndefined();
    expect(whole.result.history[0]?.loss).toBeCloseTo(plain.result.history[0]?.loss ?? 0, 5);
    for (const checkpoint of whole.checkpoints) {
      const reloaded = decodeCheckpoint(encodeCheckpoint(checkpoint));
      expect(reloaded.training?.optimizer.lossScale?.goodSteps).toBe(checkpoint.training?.step);
      const { result } = await runAll(tinyOptions({ ...scaled, checkpoint: reloaded }));
      expect(digest(result.checkpoint)).toBe(digest(whole.result.checkpoint));
    }
    const other = runAll(tinyOptions({ epochs: 1, checkpoint: whole.result.checkpoint }));
    await expect(other).rejects.toThrow('loss scaling, for activations in f16, is false, but was true');
  }, 60_000);

  it('that overflows moves no parameter from where its moments are zero, and is halved', async () => {
    using backend = roundingBackend();
    const parameters = initialParameters(tinyModel, 1);
    const empty: ReadonlyMap<string, Float32Array> = new Map();
    const state = {
      optimizer: { m: empty, v: empty, lossScale: { scale: 2 ** 100, goodSteps: 5 } },
      metrics: { loss: 0, correct: 0 },
    };
    const specs = parameterSpecs(tinyModel);
    using tensors = new TrainingTensors(backend, tinyModel.name, specs, parameters, state, true);
    using step = await TrainingStep.compile(backend, tinyModel, tensors, { batch: 2 });
    const buffers = batchBuffers(tinyTrain, 2);
    new BatchPreparer(tinyTrain, createPreprocessing(tinyTrain)).prepare(null, 0, 2, buffers, null);
    // In float64 nothing overflows by itself.
    buffers.labels.fill(Number.POSITIVE_INFINITY, 0, 1);
    await step.run(buffers, 1e-3, 0);
    expect((await tensors.readOptimizer()).lossScale).toEqual({ scale: 2 ** 99, goodSteps: 0 });
    const after = await tensors.readParameters();
    for (const { name, trainable } of specs) if (trainable) expect(after.get(name)).toEqual(parameters.get(name));
  });
});
