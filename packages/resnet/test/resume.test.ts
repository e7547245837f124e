import { ValueError } from '@skiplane/core';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  modelConfig,
  syntheticDataset,
  train,
  type Checkpoint,
  type TrainEvent,
  type TrainOptions,
} from '../src/index.ts';
import { digest } from './support/digest.ts';
import { roundingBackend } from './support/rounding-backend.ts';
import { first, runAll, tinyOptions, tinySteps, tinyTrain, tinyValidation, type FinishedRun } from './support/tiny.ts';

const epochs = 2;
let whole: FinishedRun;
let finalDigest: string;

beforeAll(async () => {
  whole = await runAll(tinyOptions({ epochs, saveSeconds: 0 }));
  finalDigest = digest(whole.result.checkpoint);
}, 60_000);

/** Through a file and back, as after a restart of the process. */
const reloaded = (checkpoint: Checkpoint): Checkpoint => decodeCheckpoint(encodeCheckpoint(checkpoint));

const positionOf = ({ training }: Checkpoint): string => `${training?.epochsDone}:${training?.position}`;

/** Aborts when `when` says so of an event, and gives what happened until the end. */
async function interruptedRun(
  changes: Partial<TrainOptions>,
  when: (event: TrainEvent) => boolean,
): Promise<FinishedRun> {
  const controller = new AbortController();
  return runAll(tinyOptions({ ...changes, epochs, progressSeconds: 0, signal: controller.signal }), (event) => {
    if (when(event)) controller.abort();
  });
}

describe('checkpoints in the middle of an epoch', () => {
  it('come after every step and every epoch when asked for', () => {
    const positions = whole.events.flatMap((event) =>
      event.type === 'checkpoint' ? [`${positionOf(event.checkpoint)} ${event.reason}`] : [],
    );
    expect(positions).toEqual([
      '0:1 time',
      '0:2 time',
      '0:3 time',
      '1:0 epoch',
      '1:1 time',
      '1:2 time',
      '1:3 time',
      '2:0 epoch',
    ]);
  });

  it('resume from any of them to the same bits as the uninterrupted run', async () => {
    for (const checkpoint of whole.checkpoints) {
      const { result } = await runAll(tinyOptions({ epochs, checkpoint: reloaded(checkpoint) }));
      expect(digest(result.checkpoint), `from ${positionOf(checkpoint)}`).toBe(finalDigest);
      expect(result.history).toEqual(whole.result.history);
      expect(result.best).toEqual(whole.result.best);
    }
  }, 60_000);

  it('resume a net that draws random numbers at every step', async () => {
    const model = modelConfig('he8-dropout-shortcut', { imageSize: [4, 4] });
    const { checkpoints, result } = await runAll(tinyOptions({ model, epochs, saveSeconds: 0 }));
    const [, second = null] = checkpoints;
    const resumed = await runAll(tinyOptions({ model, epochs, checkpoint: second && reloaded(second) }));
    expect(digest(resumed.result.checkpoint)).toBe(digest(result.checkpoint));
  });

  it('do not change the run that makes them', async () => {
    const { result } = await runAll(tinyOptions({ epochs }));
    expect(digest(result.checkpoint)).toBe(finalDigest);
  });
});

describe('an abort signal', () => {
  it('ends the run with a checkpoint, at whatever step, and the rest gives the same bits', async () => {
    for (let step = 1; step <= epochs * tinySteps; step++) {
      const { events, result } = await interruptedRun(
        {},
        (event) => event.type === 'progress' && event.globalStep === step,
      );
      const last = events.at(-1);
      expect(last).toMatchObject({ type: 'checkpoint', reason: 'interrupt', best: false });
      expect(result.interrupted).toBe(true);
      const rest = await runAll(tinyOptions({ epochs, checkpoint: reloaded(result.checkpoint) }));
      expect(digest(rest.result.checkpoint), `step ${step}`).toBe(finalDigest);
      expect(rest.result.interrupted).toBe(false);
    }
  }, 60_000);

  it('ends an evaluation too, which is then done anew', async () => {
    const { result, events } = await interruptedRun(
      { evaluationBatchSize: 4 },
      (event) => event.type === 'validation' && event.epoch === 2,
    );
    expect(positionOf(result.checkpoint)).toBe(`1:${tinySteps}`);
    expect(events.filter(({ type }) => type === 'epoch')).toHaveLength(1);
    const rest = await runAll(tinyOptions({ epochs, checkpoint: reloaded(result.checkpoint) }));
    expect(digest(rest.result.checkpoint)).toBe(finalDigest);
  });

  it('that is aborted from the start gives a checkpoint of the beginning', async () => {
    const { events, result } = await runAll(tinyOptions({ signal: AbortSignal.abort() }));
    expect(events.map(({ type }) => type)).toEqual(['start', 'checkpoint']);
    const rest = await runAll(tinyOptions({ epochs, checkpoint: reloaded(result.checkpoint) }));
    expect(digest(rest.result.checkpoint)).toBe(finalDigest);
  });

  it('may come again and again', async () => {
    let checkpoint: Checkpoint | null = null;
    for (let turn = 0; turn < 20; turn++) {
      const controller = new AbortController();
      const { result }: FinishedRun = await runAll(
        tinyOptions({ epochs, checkpoint, progressSeconds: 0, signal: controller.signal }),
        (event) => {
          if (event.type === 'progress') controller.abort();
        },
      );
      checkpoint = reloaded(result.checkpoint);
      if (!result.interrupted) break;
    }
    expect(checkpoint === null ? '' : digest(checkpoint)).toBe(finalDigest);
  }, 60_000);
});

describe('a resumed run', () => {
  it('says where it goes on, and does not report again what is done', async () => {
    const checkpoint = whole.checkpoints[4];
    const { events } = await runAll(tinyOptions({ epochs, checkpoint: checkpoint ?? null }));
    expect(events[0]).toMatchObject({ type: 'start', epoch: 2, step: 1, globalStep: 4 });
    expect(events.flatMap((event) => (event.type === 'epoch' ? [event.record.epoch] : []))).toEqual([2]);
  });

  it('may have more epochs, and then ends as if it had been asked for them at once', async () => {
    const longer = await runAll(tinyOptions({ epochs: 3 }));
    const { result } = await runAll(tinyOptions({ epochs: 3, checkpoint: reloaded(whole.result.checkpoint) }));
    expect(digest(result.checkpoint)).toBe(digest(longer.result.checkpoint));
  });

  it('of a finished run has nothing to do', async () => {
    const { events, result } = await runAll(tinyOptions({ epochs, checkpoint: whole.result.checkpoint }));
    expect(events.map(({ type }) => type)).toEqual(['start']);
    expect(digest(result.checkpoint)).toBe(finalDigest);
  });

  it('uses the preprocessing of its checkpoint', async () => {
    const { result } = await runAll(tinyOptions({ epochs: 3, checkpoint: whole.result.checkpoint }));
    expect(result.checkpoint.preprocessing).toEqual(whole.result.checkpoint.preprocessing);
  });

  it('is refused when options or data are others, naming all of them at once', async () => {
    const checkpoint = whole.checkpoints[1] ?? null;
    const other = tinyOptions({
      checkpoint,
      batchSize: 5,
      seed: 2,
      learningRate: 'keras',
      augment: false,
      recipe: { extends: 'keras', batchNorm: { movingVariance: 'unbiased' }, labelSmoothing: 0.1 },
      train: syntheticDataset({ count: 11, seed: 2, split: 'train', size: 4 }),
      validation: first(tinyValidation, 6),
    });
    const error = await runAll(other).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ValueError);
    const { message } = error as ValueError;
    for (const part of [
      'batchSize is 5, but was 4',
      'the seed is 2, but was 1',
      'learningRate is {"kind":"piecewise"',
      'but was {"kind":"constant","rate":0.001',
      'augmentation is {"kind":"none"}, but was {"kind":"shift"',
      'batchNorm.movingVariance is unbiased, but was biased',
      'labelSmoothing is 0.1, but was 0',
      'the training data (by SHA-256) is',
      'the validation data (by SHA-256) is',
      'epochs may be raised',
    ]) {
      expect(message).toContain(part);
    }
  });

  it('is refused for another model, fewer epochs than are done, and weights alone', async () => {
    const checkpoint = whole.result.checkpoint;
    const wide = { ...checkpoint, model: { ...checkpoint.model, name: 'resnet14v1', depth: 14 } };
    await expect(runAll(tinyOptions({ checkpoint: wide }))).rejects.toThrow(
      "the model's name is resnet8v1, but was resnet14v1",
    );
    await expect(runAll(tinyOptions({ epochs: 1, checkpoint }))).rejects.toThrow('epochs is 1, but 2 are done already');
    await expect(runAll(tinyOptions({ checkpoint: { ...checkpoint, training: null } }))).rejects.toThrow(
      'holds weights only',
    );
  });

  it('frees the device when it is refused', async () => {
    const backend = roundingBackend();
    await expect(runAll(tinyOptions({ epochs: 1, checkpoint: whole.result.checkpoint }, backend))).rejects.toThrow(
      ValueError,
    );
    expect(backend.liveTensors()).toBe(0);
    const generator = train(tinyOptions({}, backend));
    await generator.next();
    await generator.return({
      checkpoint: whole.result.checkpoint,
      history: [],
      best: null,
      test: null,
      interrupted: true,
    });
    expect(backend.liveTensors()).toBe(0);
    expect(tinyTrain.count).toBe(11);
  });
});
