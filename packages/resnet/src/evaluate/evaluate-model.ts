import { NumericError, ValueError, type Backend } from '@skiplane/core';
import type { Model } from '../model.ts';
import type { Mirror } from '../data/augmentation.ts';
import { HostImages } from '../data/batch-source.ts';
import { checkDataset, takeDataset, type Dataset } from '../data/dataset.ts';
import type { Preprocessing } from '../data/preprocessing.ts';
import { parameterSpecs } from '../initial-parameters.ts';
import { needPreprocessing } from '../need-preprocessing.ts';
import { l2Penalty, type Parameters } from '../parameters.ts';
import type { L2Settings } from '../recipe/keras-constants.ts';
import { Evaluator, type FoldOptions } from './evaluator.ts';
import {
  confusionOf,
  crossEntropies,
  crossEntropiesOfLogits,
  firstChoices,
  meanProbabilities,
  topKCount,
} from './scores.ts';

export interface EvaluateOptions extends FoldOptions {
  readonly backend: Backend;
  readonly model: Model;
  readonly parameters: Parameters;
  /** Null is an error that tells what to say. */
  readonly preprocessing: Preprocessing | null;
  readonly data: Dataset;
  /** Default 128. */
  readonly batchSize?: number;
  /** Evaluate the first images only. */
  readonly limit?: number;
  /** Count the images whose label is among this many highest scores, too. */
  readonly topK?: number | undefined;
  /** Look at every image and at its mirror image, and take the mean of the probabilities (default false). */
  readonly flip?: boolean | undefined;
  /** Penalties in the loss: those that the model was trained with (default: Keras's). */
  readonly l2?: L2Settings | undefined;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, count: number) => void;
}

export interface Evaluation {
  /** Mean cross-entropy plus the L2 penalty, which is what Keras calls the loss. */
  readonly loss: number;
  readonly crossEntropy: number;
  readonly accuracy: number;
  readonly correct: number;
  readonly count: number;
  /** Null when it was not asked for. */
  readonly topK: { readonly k: number; readonly correct: number; readonly accuracy: number } | null;
  /** confusion[label][prediction], in images. */
  readonly confusion: readonly (readonly number[])[];
  /** The class predicted for every image. */
  readonly predictions: Uint8Array;
  /** Cross-entropy of every image; infinite where the probability of the label has become 0. */
  readonly losses: Float32Array;
}

export const defaultEvaluationBatch = 128;

/**
 * Evaluates a model on labelled images.
 * @throws {ValueError} when data, parameters and model do not fit together
 * @throws {NumericError} when the loss is NaN or infinite
 * @throws the signal's reason, when it is aborted
 */
export async function evaluateModel(options: EvaluateOptions): Promise<Evaluation> {
  const { backend, model, parameters, preprocessing, batchSize = defaultEvaluationBatch, limit, topK, l2 } = options;
  const { classes } = model;
  const data = limit === undefined ? options.data : takeDataset(options.data, 0, Math.min(limit, options.data.count));
  checkDataset(data, model);
  checkCounts(model, batchSize, topK);
  const source = new HostImages(data, await needPreprocessing(model, preprocessing));
  const batch = Math.min(batchSize, data.count);
  const evaluator = await Evaluator.compile(backend, model, data, source, batch, options);
  try {
    const { scores, losses, loss, correct } = await score(evaluator, data, options);
    const crossEntropy = loss / data.count;
    if (!Number.isFinite(crossEntropy)) {
      throw new NumericError(
        `the loss of ${model.name} on '${data.name}' is ${crossEntropy}: its parameters are not usable; take an earlier checkpoint.`,
        { model: model.name, crossEntropy },
      );
    }
    const predictions = firstChoices(scores, classes);
    const inTop = topK === undefined ? 0 : topKCount(scores, data.labels, classes, topK);
    return {
      loss: crossEntropy + l2Penalty(parameterSpecs(model, l2), parameters),
      crossEntropy,
      accuracy: correct / data.count,
      correct,
      count: data.count,
      topK: topK === undefined ? null : { k: topK, correct: inTop, accuracy: inTop / data.count },
      confusion: confusionOf(data.labels, predictions, classes),
      predictions,
      losses,
    };
  } finally {
    evaluator.dispose();
  }
}

interface Scores {
  /** Logits, or probabilities: [count, classes]. */
  readonly scores: Float32Array;
  readonly losses: Float32Array;
  /** Σ cross-entropy. */
  readonly loss: number;
  readonly correct: number;
}

async function score(evaluator: Evaluator, data: Dataset, options: EvaluateOptions): Promise<Scores> {
  const { flip = false, model, onProgress } = options;
  const { classes } = model;
  const passes = flip ? 2 : 1;
  const progress = (pass: number, done: number): void =>
    onProgress?.(Math.floor((pass * data.count + done) / passes), data.count);
  const logits = await allLogits(evaluator, data, options, null, (done) => progress(0, done));
  if (!flip) {
    return {
      scores: logits,
      losses: crossEntropiesOfLogits(logits, data.labels, classes),
      ...(await evaluator.readSums()),
    };
  }
  const mirrored = await allLogits(evaluator, data, options, { kind: 'mirror' }, (done) => progress(1, done));
  const scores = meanProbabilities(logits, mirrored, classes);
  const losses = crossEntropies(scores, data.labels, classes);
  return {
    scores,
    losses,
    loss: losses.reduce((sum, value) => sum + value, 0),
    correct: topKCount(scores, data.labels, classes, 1),
  };
}

/** Runs over the data and gives the logits of every image. */
async function allLogits(
  evaluator: Evaluator,
  data: Dataset,
  { parameters, signal, model: { classes } }: EvaluateOptions,
  mirror: Mirror | null,
  onProgress: (done: number) => void,
): Promise<Float32Array> {
  const all = new Float32Array(data.count * classes);
  let from = 0;
  for await (const done of evaluator.run(parameters, mirror)) {
    signal?.throwIfAborted();
    const logits = (await evaluator.logits.read()) as Float32Array;
    all.set(logits.subarray(0, (done - from) * classes), from * classes);
    from = done;
    onProgress(done);
  }
  return all;
}

function checkCounts({ classes }: Model, batchSize: number, topK: number | undefined): void {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new ValueError(`batchSize must be a whole number of 1 or more, but is ${batchSize}.`, { batchSize });
  }
  if (topK !== undefined && (!Number.isInteger(topK) || topK < 1 || topK > classes)) {
    throw new ValueError(`topK must be a whole number from 1 to ${classes}, the number of classes, but is ${topK}.`, {
      topK,
      classes,
    });
  }
}
