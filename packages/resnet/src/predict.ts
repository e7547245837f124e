import { ValueError, type Backend } from '@skiplane/core';
import { imageElements } from './config.ts';
import { BatchPreparer, batchBuffers } from './data/batch-preparer.ts';
import { unlabelledDataset } from './data/unlabelled.ts';
import type { Preprocessing } from './data/preprocessing.ts';
import { InferenceProgram, type FoldOptions } from './evaluate/evaluator.ts';
import { inferenceGraph } from './graphs/inference.ts';
import type { Model } from './model.ts';
import { needPreprocessing } from './need-preprocessing.ts';
import type { Parameters } from './parameters.ts';

export interface PredictorOptions extends FoldOptions {
  readonly backend: Backend;
  readonly model: Model;
  readonly parameters: Parameters;
  /** Null is an error that tells what to say. */
  readonly preprocessing: Preprocessing | null;
  readonly classNames: readonly string[];
  /** Images in one run (default 32). */
  readonly batchSize?: number;
}

export interface PredictOptions extends PredictorOptions {
  /** Any number of images of the model's size, one behind the other: height × width × channels, pixels 0 to 255. */
  readonly images: Uint8Array;
  /** How many classes to name for each image (default: all of them). */
  readonly topK?: number;
}

export interface Prediction {
  readonly classIndex: number;
  readonly className: string;
  readonly probability: number;
}

/**
 * A model compiled to classify images again and again, such as those of a camera.
 * A checkpoint has most of the options: `Predictor.compile({ backend, ...checkpoint, batchSize: 1 })`.
 */
export class Predictor implements Disposable {
  readonly #options: PredictorOptions & { readonly preprocessing: Preprocessing };
  readonly #batch: number;
  readonly #inference: InferenceProgram;

  private constructor(
    options: PredictorOptions,
    preprocessing: Preprocessing,
    batch: number,
    inference: InferenceProgram,
  ) {
    this.#options = { ...options, preprocessing };
    this.#batch = batch;
    this.#inference = inference;
  }

  /** @throws {ValueError} when classes, parameters and model do not fit together */
  static async compile(options: PredictorOptions): Promise<Predictor> {
    const { backend, model, parameters, classNames, batchSize = 32 } = options;
    const problems: string[] = [];
    if (classNames.length !== model.classes) {
      problems.push(`${classNames.length} class names for ${model.classes} classes`);
    }
    if (!Number.isInteger(batchSize) || batchSize < 1) problems.push(`batchSize is ${batchSize}`);
    if (problems.length > 0) throw cannotPredict(model, problems);
    const preprocessing = await needPreprocessing(model, options.preprocessing);
    const graph = inferenceGraph(model, { batch: batchSize });
    const inference = await InferenceProgram.compile(backend, model, graph, options);
    try {
      inference.writeParameters(parameters);
      return new Predictor(options, preprocessing, batchSize, inference);
    } catch (error) {
      inference.dispose();
      throw error;
    }
  }

  /**
   * The likeliest classes of every image, likeliest first.
   * @param images  one behind the other: height × width × channels, pixels 0 to 255
   * @param topK    how many classes to name for each (default: all of them)
   * @throws {ValueError} when they are not of the model's size
   */
  async predict(images: Uint8Array, topK = this.#options.model.classes): Promise<readonly (readonly Prediction[])[]> {
    const { model, classNames, preprocessing } = this.#options;
    const problems: string[] = [];
    const size = imageElements(model);
    if (images.length % size !== 0) {
      problems.push(`${images.length} bytes of images are no multiple of ${size}, the size of one`);
    }
    if (!Number.isInteger(topK) || topK < 1) problems.push(`topK is ${topK}`);
    if (problems.length > 0) throw cannotPredict(model, problems);
    const data = unlabelledDataset(model, classNames, images);
    const batches = new BatchPreparer(data, preprocessing);
    const buffers = batchBuffers(data, this.#batch);
    const { bound } = this.#inference;
    const results: (readonly Prediction[])[] = [];
    for (let from = 0; from < data.count; from += this.#batch) {
      const count = Math.min(this.#batch, data.count - from);
      batches.prepare(null, from, count, buffers, null);
      bound.write('x', buffers.images);
      await bound.program.run();
      const probabilities = await bound.tensor('probabilities').read();
      for (let i = 0; i < count; i++) {
        const row = Array.from(probabilities.subarray(i * model.classes, (i + 1) * model.classes));
        results.push(ranked(row, classNames).slice(0, topK));
      }
    }
    return results;
  }

  dispose(): void {
    this.#inference.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * The likeliest classes of every image, likeliest first; compiles the model for this once, see {@link Predictor}.
 * A checkpoint has most of the options: `predictImages({ backend, ...checkpoint, images })`.
 * @throws {ValueError} when images, classes, parameters and model do not fit together
 */
export async function predictImages(options: PredictOptions): Promise<readonly (readonly Prediction[])[]> {
  const { images, model, topK, batchSize = 32 } = options;
  const count = Math.ceil(images.length / imageElements(model));
  // One run of a few images does not need a program for many.
  const batch = Number.isInteger(batchSize) ? Math.min(batchSize, Math.max(count, 1)) : batchSize;
  const predictor = await Predictor.compile({ ...options, batchSize: batch });
  try {
    return await predictor.predict(images, topK);
  } finally {
    predictor.dispose();
  }
}

function ranked(probabilities: readonly number[], classNames: readonly string[]): readonly Prediction[] {
  return probabilities
    .map((probability, classIndex) => ({ classIndex, className: classNames[classIndex] ?? '', probability }))
    .toSorted((a, b) => b.probability - a.probability || a.classIndex - b.classIndex);
}

function cannotPredict(model: Model, problems: readonly string[]): ValueError {
  const size = [...model.imageSize, model.channels].join('×');
  return new ValueError(
    `cannot predict with ${model.name}: ${problems.join('; ')}. Images must be ${size} bytes, and counts whole numbers of 1 or more.`,
    { problems },
  );
}
