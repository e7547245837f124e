import type { HistoryRecord } from '../checkpoint/checkpoint.ts';
import { epochOrder, type Augmentation } from '../data/augmentation.ts';
import { countParameters, l2Penalty, type Parameters } from '../parameters.ts';
import { pipelined } from '../pipelined.ts';
import type { CheckpointEvent, StartEvent, TrainEvent, TrainResult } from './events.ts';
import type { TrainOptions } from './options.ts';
import { TrainingSession } from './session.ts';
import { Interval, Stopwatch } from './stopwatch.ts';

/**
 * Trains a model as Keras's `fit` does, and yields events on the way; the consumer writes files and draws progress.
 *
 * Everything random is a function of the seed, so a run that is interrupted and goes on from any of its checkpoints gives
 * the same bits as one that is not, on one device. Device memory is freed however the loop over the events ends.
 *
 * ```ts
 * for await (const event of train({ backend, model, train, validation, epochs: 200, batchSize: 32, seed: 1, … })) {
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
  while (session.epochsDone < session.settings.epochs) {
    const finished = yield* runEpoch(session, save);
    if (!finished) {
      const checkpoint = await session.checkpoint();
      yield { type: 'checkpoint', checkpoint, reason: 'interrupt', best: false };
      return { checkpoint, history: session.history, best: session.best, interrupted: true };
    }
    save.reset();
  }
  return { checkpoint: await session.checkpoint(), history: session.history, best: session.best, interrupted: false };
}

/** Trains and evaluates one epoch; false when the signal ended it. */
async function* runEpoch(session: TrainingSession, save: Interval): AsyncGenerator<TrainEvent, boolean, void> {
  const training = new Stopwatch();
  const whole = new Stopwatch();
  whole.start();
  const firstImage = session.imagesAfter(session.position);
  if (!(yield* trainSteps(session, save, training))) return false;
  const parameters = await session.tensors.readParameters();
  const sums = yield* evaluate(session, parameters);
  if (sums === null) return false;
  const metrics = await session.readMetrics();
  const { train: data, validation } = session.options;
  const record: HistoryRecord = {
    epoch: session.epoch,
    loss: metrics.loss / data.count,
    accuracy: metrics.correct / data.count,
    valLoss: sums.loss / validation.count + l2Penalty(session.specs, parameters),
    valAccuracy: sums.correct / validation.count,
    learningRate: session.learningRate,
  };
  const best = session.finishEpoch(record);
  const seconds = whole.seconds;
  const imagesPerSecond = rate(data.count - firstImage, training.seconds);
  yield { type: 'epoch', globalStep: session.step, record: { ...record, imagesPerSecond, seconds } };
  yield { type: 'checkpoint', checkpoint: await session.checkpoint(), reason: 'epoch', best };
  return true;
}

/** The training steps that the epoch has left; false when the signal ended them. */
async function* trainSteps(
  session: TrainingSession,
  save: Interval,
  watch: Stopwatch,
): AsyncGenerator<TrainEvent, boolean, void> {
  const { signal, train: data, progressSeconds = 0.2 } = session.options;
  const { settings, steps } = session;
  if (signal?.aborted) return false;
  const progress = new Interval(progressSeconds);
  const order = epochOrder(settings.seed, session.epochsDone, data.count);
  const { seed, interpolationOrder } = settings;
  const augmentation: Augmentation | null = settings.augment
    ? { seed, epoch: session.epochsDone, interpolationOrder }
    : null;
  const firstImage = session.imagesAfter(session.position);
  watch.start();
  const batches = pipelined(session.position, steps, (step, turn) => session.batch(step, turn), {
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
      } satisfies CheckpointEvent;
      save.reset();
    }
    watch.start();
  }
  watch.stop();
  return true;
}

/** Sums over the validation set; null when the signal ended the evaluation, which then begins anew after a resume. */
async function* evaluate(session: TrainingSession, parameters: Parameters) {
  const { signal, validation, progressSeconds = 0.2 } = session.options;
  const progress = new Interval(progressSeconds);
  for await (const done of session.evaluator.run(parameters)) {
    if (signal?.aborted) return null;
    if (!progress.due) continue;
    yield { type: 'validation', epoch: session.epoch, done, count: validation.count } satisfies TrainEvent;
    progress.reset();
  }
  return session.evaluator.readSums();
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
    learningRate: session.learningRate,
    imagesPerSecond,
    secondsLeft: imagesPerSecond > 0 ? (session.options.train.count - images) / imagesPerSecond : 0,
  };
}

function startEvent(session: TrainingSession): StartEvent {
  const { backend, model, train: data, validation } = session.options;
  return {
    type: 'start',
    model,
    device: backend.info.device,
    trainCount: data.count,
    validationCount: validation.count,
    batchSize: session.settings.batchSize,
    epochs: session.settings.epochs,
    steps: session.steps,
    epoch: session.epoch,
    step: session.position,
    globalStep: session.step,
    parameters: countParameters(session.specs),
    imagesOn: session.settings.imagesOn,
    arenaBytes: session.arenaBytes,
  };
}

function rate(images: number, seconds: number): number {
  return seconds > 0 ? images / seconds : 0;
}
