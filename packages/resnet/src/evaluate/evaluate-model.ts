import { NumericError, ValueError, type Backend } from '@skiplane/core';
import type { ModelConfig } from '../config.ts';
import { HostImages } from '../data/batch-source.ts';
import { checkDataset, takeDataset, type Dataset } from '../data/dataset.ts';
import type { Preprocessing } from '../data/preprocessing.ts';
import { parameterSpecs } from '../initial-parameters.ts';
import { l2Penalty, type Parameters } from '../parameters.ts';
import { Evaluator, type FoldOptions } from './evaluator.ts';

export interface EvaluateOptions extends FoldOptions {
  readonly backend: Backend;
  readonly model: ModelConfig;
  readonly parameters: Parameters;
  readonly preprocessing: Preprocessing;
  readonly data: Dataset;
  /** Default 128. */
  readonly batchSize?: number;
  /** Evaluate the first images only. */
  readonly limit?: number;
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
  /** confusion[label][prediction], in images. */
  readonly confusion: readonly (readonly number[])[];
  /** The class predicted for every image. */
  readonly predictions: Uint8Array;
}

export const defaultEvaluationBatch = 128;

/**
 * Evaluates a model on labelled images.
 * @throws {ValueError} when data, parameters and model do not fit together
 * @throws {NumericError} when the loss is NaN or infinite
 * @throws the signal's reason, when it is aborted
 */
export async function evaluateModel(options: EvaluateOptions): Promise<Evaluation> {
  const { backend, model, parameters, preprocessing, batchSize = defaultEvaluationBatch, limit } = options;
  const data = limit === undefined ? options.data : takeDataset(options.data, 0, Math.min(limit, options.data.count));
  checkDataset(data, model);
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new ValueError(`batchSize must be a whole number of 1 or more, but is ${batchSize}.`, { batchSize });
  }
  const source = new HostImages(data, preprocessing);
  const batch = Math.min(batchSize, data.count);
  const evaluator = await Evaluator.compile(backend, model, data, source, batch, options);
  try {
    const predictions = await predictAll(evaluator, data, options);
    const { loss, correct } = await evaluator.readSums();
    const crossEntropy = loss / data.count;
    if (!Number.isFinite(crossEntropy)) {
      throw new NumericError(
        `the loss of ${model.name} on '${data.name}' is ${crossEntropy}: its parameters are not usable; take an earlier checkpoint.`,
        { model: model.name, crossEntropy },
      );
    }
    return {
      loss: crossEntropy + l2Penalty(parameterSpecs(model), parameters),
      crossEntropy,
      accuracy: correct / data.count,
      correct,
      count: data.count,
      confusion: confusionOf(data.labels, predictions, model.classes),
      predictions,
    };
  } finally {
    evaluator.dispose();
  }
}

/** Runs over the data and gives the first choice for every image. */
async function predictAll(evaluator: Evaluator, data: Dataset, options: EvaluateOptions): Promise<Uint8Array> {
  const { parameters, signal, onProgress, model } = options;
  const predictions = new Uint8Array(data.count);
  let from = 0;
  for await (const done of evaluator.run(parameters)) {
    signal?.throwIfAborted();
    const logits = (await evaluator.logits.read()) as Float32Array;
    for (let image = from; image < done; image++) {
      predictions[image] = firstChoice(logits, (image - from) * model.classes, model.classes);
    }
    from = done;
    onProgress?.(done, data.count);
  }
  return predictions;
}

/** Index of the largest of `count` values from `from` on; of equal ones the first, as in `topKCorrect`. */
function firstChoice(values: Float32Array, from: number, count: number): number {
  let best = 0;
  for (let k = 1; k < count; k++) if ((values[from + k] as number) > (values[from + best] as number)) best = k;
  return best;
}

function confusionOf(labels: Uint8Array, predictions: Uint8Array, classes: number): readonly (readonly number[])[] {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  labels.forEach((label, image) => {
    const row = confusion[label];
    const prediction = predictions[image];
    if (row !== undefined && prediction !== undefined) row[prediction] = (row[prediction] ?? 0) + 1;
  });
  return confusion;
}
