import type { RunCheckpoint, HistoryRecord, MetricSums, TestResult } from '../checkpoint/checkpoint.ts';
import { epochOrder, type Augmentation } from '../data/augmentation.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Evaluator } from '../evaluate/evaluator.ts';
import { countParameters, l2Penalty, type Parameters } from '../parameters.ts';
import { pipelined } from '../pipelined.ts';
import type { CheckpointEvent, StartEvent, TrainEvent, TrainResult } from './events.ts';
import type { TrainOptions } from './options.ts';
import { TrainingSession } from './session.ts';
import { Interval, Stopwatch } from './stopwatch.ts';

/**
 * Trains a model as Keras's `fit` does, by a recipe, and yields events on the way; the consumer writes files and draws
 * progress.
 *
 * Everything random is a function of the seed, so a run that is interrupted and goes on from any of its checkpoints gives
 * the same bits as one that is not, on one device. Device memory is freed however the loop over the events ends.
 *
 * ```ts
 * for await (const event of train({ backend, model, train, test, recipe: 'modern', seed: 1 })) {
 *   if (event.type === 'epoch') console.log(event.record.valAccuracy);
 * }
 * ```
 * @throws {ValueError} when options, data and checkpoint do not fit together
 * @throws {NumericError} when a loss becomes NaN or infinite
 */
export async function* train(options: TrainOptions): AsyncGenerator<TrainEvent, TrainResult, void> {
  const session = await TrainingSession.open(options);
  try {
    return yield* runEpochs(session, new Interval(options.saveSeconds ?? 30));
  } finally {
    session.dispose();
  }
}

async function* runEpochs(session: TrainingSession, save: Interval): AsyncGenerator<TrainEvent, TrainResult, void> {
  yield startEvent(session);
  while (!session.done) {
    if (!(yield* runEpoch(session, save))) return yield* interrupt(session);
    save.reset();
  }
  if (session.end === null && !(yield* endTraining(session))) return yield* interrupt(session);
  return resultOf(session, await session.checkpoint(), false);
}

async function* interrupt(session: TrainingSession): AsyncGenerator<TrainEvent, TrainResult, void> {
  const checkpoint = await session.checkpoint();
  yield { type: 'checkpoint', checkpoint, reason: 'interrupt', best: false, files: [] };
  return resultOf(session, checkpoint, true);
}

function resultOf(session: TrainingSession, checkpoint: RunCheckpoint, interrupted: boolean): TrainResult {
  const { history, best, end } = session;
  return { checkpoint, history, best, test: end?.test ?? null, interrupted };
}

/** Trains and evaluates one epoch; false when the signal ended it. */
async function* runEpoch(session: TrainingSession, save: Interval): AsyncGenerator<TrainEvent, boolean, void> {
  const training = new Stopwatch();
  const whole = new Stopwatch();
  whole.start();
  const firstImage = session.imagesAfter(session.position);
  session.startEpoch();
  if (!(yield* trainSteps(session, save, training))) return false;
  const parameters = await session.tensors.readParameters();
  const { train: data, validation, epoch } = session;
  const sums = yield* evaluate(session, session.evaluator, { on: 'validation', epoch, data: validation }, parameters);
  if (sums === null) return false;
  const metrics = await session.readMetrics();
  const record: HistoryRecord = {
    epoch,
    loss: metrics.loss / data.count,
    accuracy: metrics.correct / data.count,
    valLoss: sums.loss / validation.count + l2Penalty(session.specs, parameters),
    valAccuracy: sums.correct / validation.count,
    learningRate: session.learningRate(session.steps - 1),
  };
  const { best, effects } = session.finishEpoch(record, parameters);
  const seconds = whole.seconds;
  const imagesPerSecond = rate(data.count - firstImage, training.seconds);
  const globalStep = session.step;
  const peakBytes = session.options.backend.memory?.peakBytes ?? null;
  yield { type: 'epoch', globalStep, record: { ...record, imagesPerSecond, seconds }, peakBytes };
  for (const effect of effects) {
    if (effect.kind === 'message') yield { type: 'message', epoch, globalStep, level: effect.level, text: effect.text };
  }
  const files = effects.flatMap((effect) =>
    effect.kind === 'save' ? [{ path: effect.file, weightsOnly: effect.weightsOnly }] : [],
  );
  yield { type: 'checkpoint', checkpoint: await session.checkpoint(), reason: 'epoch', best, files };
  return true;
}

/** Puts kept weights back and looks at the test images, once; false when the signal ended it. */
async function* endTraining(session: TrainingSession): AsyncGenerator<TrainEvent, boolean, void> {
  const { test } = session.options;
  const kept = session.keptWeights;
  const parameters = kept?.parameters ?? (await session.tensors.readParameters());
  const result = test === undefined ? null : yield* evaluateTest(session, test, parameters);
  if (test !== undefined && result === null) return false;
  // Not before: a run that is interrupted here has the weights of its last step still.
  if (kept !== null) session.tensors.writeParameters(kept.parameters);
  // Nothing is new, and the last epoch's checkpoint holds it all.
  if (kept === null && result === null) return true;
  session.end = { restoredEpoch: kept?.epoch ?? null, test: result };
  yield { type: 'end', epoch: session.epochsDone, globalStep: session.step, ...session.end };
  yield { type: 'checkpoint', checkpoint: await session.checkpoint(), reason: 'end', best: false, files: [] };
  return true;
}

async function* evaluateTest(
  session: TrainingSession,
  data: Dataset,
  parameters: Parameters,
): AsyncGenerator<TrainEvent, TestResult | null, void> {
  const evaluator = await session.testEvaluator(data);
  try {
    const sums = yield* evaluate(session, evaluator, { on: 'test', epoch: session.epochsDone, data }, parameters);
    if (sums === null) return null;
    const loss = sums.loss / data.count + l2Penalty(session.specs, parameters);
    return { loss, accuracy: sums.correct / data.count, count: data.count };
  } finally {
    evaluator.dispose();
  }
}

/** The training steps that the epoch has left; false when the signal ended them. */
async function* trainSteps(
  session: TrainingSession,
  save: Interval,
  watch: Stopwatch,
): AsyncGenerator<TrainEvent, boolean, void> {
  const { signal, progressSeconds = 0.2 } = session.options;
  const { settings, recipe, steps, train: data, programs } = session;
  if (signal?.aborted) return false;
  const progress = new Interval(progressSeconds);
  const order = epochOrder(settings.seed, session.epochsDone, data.count);
  const augmentation: Augmentation | null =
    recipe.augmentation.kind === 'none'
      ? null
      : { ...recipe.augmentation, seed: settings.seed, epoch: session.epochsDone };
  const firstImage = session.imagesAfter(session.position);
  watch.start();
  const batches = pipelined(session.position, steps, (step, turn) => programs.batch(session.batchOf(step), turn), {
    prepare: (step, batch) => batch.prepare(order, session.imagesAfter(step), session.batchOf(step), augmentation),
    start: (step, batch) => session.startStep(step, batch),
  });
  for await (const done of batches) {
    session.step++;
    session.position = done;
    watch.stop();
    if (signal?.aborted) return false;
    if (progress.due || done === steps) {
      yield await progressEvent(session, rate(session.imagesAfter(done) - firstImage, watch.seconds));
      progress.reset();
    }
    if (save.due) {
      yield {
        type: 'checkpoint',
        checkpoint: await session.checkpoint(),
        reason: 'time',
        best: false,
        files: [],
      } satisfies CheckpointEvent;
      save.reset();
    }
    watch.start();
  }
  watch.stop();
  return true;
}

/** Sums over a data set; null when the signal ended the evaluation, which then begins anew after a resume. */
async function* evaluate(
  session: TrainingSession,
  evaluator: Evaluator,
  { on, epoch, data }: { readonly on: 'validation' | 'test'; readonly epoch: number; readonly data: Dataset },
  parameters: Parameters,
): AsyncGenerator<TrainEvent, MetricSums | null, void> {
  const { signal, progressSeconds = 0.2 } = session.options;
  const progress = new Interval(progressSeconds);
  for await (const done of evaluator.run(parameters)) {
    if (signal?.aborted) return null;
    if (!progress.due) continue;
    yield { type: 'validation', on, epoch, done, count: data.count };
    progress.reset();
  }
  // In async generators Safari's engine does not wait by itself for what a call gives: github.com/WebKit/WebKit/pull/73407.
  return await evaluator.readSums();
}

async function progressEvent(session: TrainingSession, imagesPerSecond: number): Promise<TrainEvent> {
  const { loss, correct } = await session.readMetrics();
  const images = session.imagesAfter(session.position);
  return {
    type: 'progress',
    epoch: session.epoch,
    step: session.position,
    steps: session.steps,
    globalStep: session.step,
    loss: loss / images,
    accuracy: correct / images,
    learningRate: session.learningRate(session.position - 1),
    imagesPerSecond,
    secondsLeft: imagesPerSecond > 0 ? (session.train.count - images) / imagesPerSecond : 0,
  };
}

function startEvent(session: TrainingSession): StartEvent {
  const { options, settings, recipe, model, train: data, validation } = session;
  return {
    type: 'start',
    model,
    recipe,
    seed: settings.seed,
    device: options.backend.info.device,
    trainCount: data.count,
    validationCount: validation.count,
    batchSize: recipe.batchSize,
    epochs: recipe.epochs,
    steps: session.steps,
    epoch: session.epoch,
    step: session.position,
    globalStep: session.step,
    parameters: countParameters(session.specs),
    arenaBytes: session.programs.arenaBytes,
    imagesOn: settings.imagesOn,
    memory: session.memory,
  };
}

function rate(images: number, seconds: number): number {
  return seconds > 0 ? images / seconds : 0;
}
