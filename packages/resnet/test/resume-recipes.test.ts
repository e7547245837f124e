import { describe, expect, it } from 'vitest';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  evaluateModel,
  recipeNames,
  type CallbackSettings,
  type Checkpoint,
  type RecipeInput,
  type TrainOptions,
} from '../src/index.ts';
import { digest } from './support/digest.ts';
import { roundingBackend } from './support/rounding-backend.ts';
import { runAll, tinyOptionsByRecipe, tinyValidation, type FinishedRun } from './support/tiny.ts';

/** Through a file and back, as after a restart of the process. */
const reloaded = (checkpoint: Checkpoint): Checkpoint => decodeCheckpoint(encodeCheckpoint(checkpoint));

const positionOf = ({ training }: Checkpoint): string => `${training?.epochsDone}:${training?.position}`;

/** What a run of a recipe ends with: the last checkpoint and the test result, through a file and back. */
const ending = async (options: TrainOptions): Promise<{ readonly run: FinishedRun; readonly bytes: string }> => {
  const run = await runAll(options);
  return { run, bytes: digest(run.result.checkpoint) };
};

describe('every recipe, and every state of its callbacks,', () => {
  const short = { epochs: 3, batchSize: 4, augment: true } as const;
  const quick: CallbackSettings = {
    kind: 'EarlyStopping',
    monitor: 'val_loss',
    mode: 'auto',
    minDelta: 0,
    patience: 0,
    baseline: null,
    restoreBestWeights: false,
    startFromEpoch: 0,
    verbose: 1,
  };
  const reducer: CallbackSettings = {
    kind: 'ReduceLROnPlateau',
    monitor: 'val_loss',
    mode: 'max',
    factor: 0.5,
    patience: 1,
    minDelta: 1e-4,
    cooldown: 1,
    minLr: 0,
    verbose: 1,
  };
  const cases: readonly (readonly [string, RecipeInput])[] = [
    ...recipeNames.map((name) => [name, name] as const),
    ['keras with a reducer that counts', { extends: 'keras', callbacks: [reducer, { ...reducer, monitor: 'loss' }] }],
    [
      'he2015 that stops early with the best weights',
      {
        extends: 'he2015',
        callbacks: [{ ...quick, monitor: 'loss', mode: 'max', patience: 1, restoreBestWeights: true }],
      },
    ],
    [
      'modern with a warm-up, AdamW, cutout and a log',
      {
        extends: 'modern',
        optimizer: { kind: 'adamW', weightDecay: 0.01 },
        learningRate: { warmUp: { kind: 'linear', by: 'iteration', length: 4, from: 0.1 } },
        augmentation: { cutout: 2 },
        callbacks: [{ kind: 'CSVLogger', filename: 'log.csv', separator: ',', append: false }],
      },
    ],
  ];

  it.each(cases)(
    '%s, resumes from any checkpoint to the same bits',
    async (_name, recipe) => {
      const { run, bytes } = await ending(tinyOptionsByRecipe(recipe, short));
      expect(run.checkpoints.length).toBeGreaterThan(6);
      for (const checkpoint of run.checkpoints) {
        const rest = await ending(tinyOptionsByRecipe(recipe, { ...short, checkpoint: reloaded(checkpoint) }));
        expect(rest.bytes, `from ${positionOf(checkpoint)}`).toBe(bytes);
        expect(rest.run.result.test).toEqual(run.result.test);
      }
      expect(run.result.test?.count).toBe(7);
      expect(run.checkpoints.at(-1)).toEqual(run.result.checkpoint);
    },
    120_000,
  );

  it('also when the signal ends the final evaluation', async () => {
    const { bytes } = await ending(tinyOptionsByRecipe('modern', short));
    const controller = new AbortController();
    const options = tinyOptionsByRecipe('modern', { ...short, evaluationBatchSize: 2, signal: controller.signal });
    const uninterrupted = await ending(tinyOptionsByRecipe('modern', { ...short, evaluationBatchSize: 2 }));
    const { events, result } = await runAll(options, (event) => {
      if (event.type === 'validation' && event.on === 'test') controller.abort();
    });
    expect(result).toMatchObject({ interrupted: true, test: null });
    expect(events.some(({ type }) => type === 'end')).toBe(false);
    const { signal: _, ...again } = options;
    const rest = await ending({ ...again, checkpoint: reloaded(result.checkpoint) });
    expect(rest.bytes).toBe(uninterrupted.bytes);
    expect(bytes).not.toBe(uninterrupted.bytes);
  }, 60_000);

  it('says what EarlyStopping does, and ends with the weights that it kept', async () => {
    const stopping: CallbackSettings = { ...quick, monitor: 'loss', mode: 'max', restoreBestWeights: true };
    const recipe: RecipeInput = { extends: 'keras', callbacks: [stopping] };
    const { run } = await ending(tinyOptionsByRecipe(recipe, { ...short, epochs: 9 }));
    const { training } = run.result.checkpoint;
    expect(training?.callbacks.stopped).toBe(true);
    expect(training?.epochsDone).toBeLessThan(9);
    const kept = training?.end?.restoredEpoch ?? 0;
    const losses = run.result.history.map(({ loss }) => loss);
    expect(losses[kept - 1]).toBe(Math.max(...losses));
    const then = run.events.find(
      (event) =>
        event.type === 'checkpoint' && event.reason === 'epoch' && event.checkpoint.training?.epochsDone === kept,
    );
    if (then?.type !== 'checkpoint') throw new Error('there is no checkpoint of the epoch');
    expect(run.result.checkpoint.parameters).toEqual(then.checkpoint.parameters);
    const messages = run.events.flatMap((event) => (event.type === 'message' ? [event.text] : []));
    expect(messages).toEqual([`Epoch ${training?.epochsDone}: early stopping`]);
    const longer = tinyOptionsByRecipe(recipe, { ...short, epochs: 12, checkpoint: run.result.checkpoint });
    await expect(runAll(longer)).rejects.toThrow(`training has ended with the weights of epoch ${kept} put back`);
  }, 60_000);

  it('but a run whose rates depend on its length is not made longer', async () => {
    const { run } = await ending(tinyOptionsByRecipe('modern', short));
    const longer = tinyOptionsByRecipe('modern', { ...short, epochs: 4, checkpoint: run.result.checkpoint });
    await expect(runAll(longer)).rejects.toThrow(
      'epochs is 4, but was 3, and the rates of its oneCycle schedule depend',
    );
  });

  it('and the test images are looked at once, and do not choose', async () => {
    const { run } = await ending(tinyOptionsByRecipe('he2015', short));
    const { test, checkpoint, history } = run.result;
    expect(run.events[0]).toMatchObject({ type: 'start', trainCount: 10, validationCount: 1 });
    expect(test?.count).toBe(7);
    const evaluation = await evaluateModel({
      backend: roundingBackend(),
      ...checkpoint,
      data: tinyValidation,
      batchSize: 1,
      l2: checkpoint.training?.settings.recipe.l2,
    });
    expect([test?.loss, test?.accuracy]).toEqual([evaluation.loss, evaluation.accuracy]);
    expect(checkpoint.model).toMatchObject({ batchNormEpsilon: 1e-5 });
    expect(history).toHaveLength(3);
    await expect(runAll({ ...tinyOptionsByRecipe('keras', short), test: undefined })).rejects.toThrow(
      'it validates on the test images, but none were given; give `test`',
    );
  });
});
