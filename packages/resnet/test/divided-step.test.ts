import { describe, expect, it } from 'vitest';
import {
  BatchPreparer,
  batchBuffers,
  createPreprocessing,
  decodeCheckpoint,
  encodeCheckpoint,
  initialParameters,
  modelConfig,
  parameterSpecs,
  TrainingTensors,
  type ModelConfig,
} from '../src/index.ts';
import { DividedStep, GradientSums } from '../src/train/divided-step.ts';
import { partsOf, partSizes } from '../src/train/micro-batches.ts';
import { digest } from './support/digest.ts';
import { roundingBackend } from './support/rounding-backend.ts';
import { runAll, tinyOptions, tinyTrain } from './support/tiny.ts';

/** Without batch norms, so that a batch in parts is the batch. */
const plain = modelConfig('highway5', { imageSize: [4, 4] });

/** Parameters and sums after two steps of 8 images. */
async function trained(model: ModelConfig, parts: number): Promise<readonly number[]> {
  const backend = roundingBackend();
  const specs = parameterSpecs(model);
  const buffers = batchBuffers(tinyTrain, 8);
  new BatchPreparer(tinyTrain, createPreprocessing(tinyTrain)).prepare(null, 0, 8, buffers, null);
  using tensors = new TrainingTensors(backend, model.name, specs, initialParameters(model, 1));
  using sums = new GradientSums(backend, specs);
  const options = { batch: 8, parts, specs };
  using step = await DividedStep.compile(backend, model, tensors, sums, options, (make) => make({}));
  await step.run(buffers, 1e-3, 0);
  await step.run(buffers, 1e-3, 1);
  const { loss, correct } = await tensors.readMetrics();
  return [loss, correct, ...[...(await tensors.readParameters()).values()].flatMap((data) => [...data])];
}

describe('a batch in parts', () => {
  it('is divided evenly, and a smaller one into parts that are no larger', () => {
    expect(partSizes(16, 3)).toEqual([6, 5, 5]);
    expect(partSizes(partsOf(7, 16, 4), 1)).toEqual([2]);
    for (let batch = 1; batch <= 16; batch++) {
      const sizes = partSizes(batch, partsOf(batch, 16, 4));
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(batch);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(4);
    }
  });

  it.each([2, 3])(
    'gives the loss, the sums and the weights of the whole where there are no batch norms (%i)',
    async (parts) => {
      const [whole, divided] = [await trained(plain, 1), await trained(plain, parts)];
      divided.forEach((value, i) => expect(value).toBeCloseTo(whole[i] ?? Number.NaN, 4));
    },
  );

  it('is another step where there are, whose parts a checkpoint keeps', async () => {
    const { result: whole } = await runAll(tinyOptions());
    const { checkpoints, result } = await runAll(tinyOptions({ parts: 2, saveSeconds: 0 }));
    expect(result.history[1]?.loss).not.toBe(whole.history[1]?.loss);
    expect(result.checkpoint.training.settings.parts).toBe(2);
    const [, second] = checkpoints;
    const resumed = await runAll(tinyOptions({ checkpoint: second && decodeCheckpoint(encodeCheckpoint(second)) }));
    expect(digest(resumed.result.checkpoint)).toBe(digest(result.checkpoint));
    const other = runAll(tinyOptions({ parts: 4, checkpoint: second }));
    await expect(other).rejects.toThrow('the number of parts of a batch is 4, but was 2');
    await expect(runAll(tinyOptions({ parts: 5 }))).rejects.toThrow(
      'parts is 5, but must be a whole number from 1 to the batch size, 4',
    );
  });
});
