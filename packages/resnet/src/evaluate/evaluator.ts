import {
  elementCount,
  foldBatchNorm,
  type Backend,
  type CompileOptions,
  type FoldedGraph,
  type Graph,
  type Tensor,
} from '@skiplane/core';
import { BoundProgram } from '../bound-program.ts';
import type { MetricSums } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../config.ts';
import type { Mirror } from '../data/augmentation.ts';
import { batchBuffers, type BatchBuffers, type BatchPreparer } from '../data/batch-preparer.ts';
import type { Dataset } from '../data/dataset.ts';
import { evaluationGraph } from '../graphs/evaluation.ts';
import type { ModelGraph } from '../graphs/model-graph.ts';
import { checkParameters, type ParameterSpec, type Parameters } from '../parameters.ts';
import { pipelined } from '../pipelined.ts';

export interface FoldOptions {
  /** Fold batch norms into the convolutions before them, in float64 on the host (default true). */
  readonly fold?: boolean;
  readonly compile?: CompileOptions;
}

/**
 * A compiled graph without training, whose parameters can be written again and again; batch norms are folded on the way.
 */
export class InferenceProgram implements Disposable {
  readonly bound: BoundProgram;
  readonly #model: string;
  readonly #specs: readonly ParameterSpec[];
  readonly #fold: FoldedGraph['fold'];

  private constructor(bound: BoundProgram, model: string, specs: readonly ParameterSpec[], fold: FoldedGraph['fold']) {
    this.bound = bound;
    this.#model = model;
    this.#specs = specs;
    this.#fold = fold;
  }

  static async compile(
    backend: Backend,
    model: ModelConfig,
    { graph, parameters }: ModelGraph,
    { fold = true, compile }: FoldOptions = {},
  ): Promise<InferenceProgram> {
    const folded: { graph: Graph; fold: FoldedGraph['fold'] } = fold
      ? foldBatchNorm(graph)
      : { graph, fold: (all) => new Map(all) };
    const bound = await BoundProgram.compile(backend, folded.graph, new Map(), compile);
    return new InferenceProgram(bound, model.name, parameters, folded.fold);
  }

  /** Sets the parameters, given as they are in training and in checkpoints. @throws {ValueError} when they are not the model's */
  writeParameters(parameters: Parameters): void {
    checkParameters(this.#model, this.#specs, parameters);
    for (const [name, data] of this.#fold(parameters)) this.bound.write(name, data);
  }

  dispose(): void {
    this.bound.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Evaluates one model on one data set, in batches; the last one is padded, and the padding counts for nothing. */
export class Evaluator implements Disposable {
  readonly batch: number;
  readonly #inference: InferenceProgram;
  readonly #data: Dataset;
  readonly #preparer: BatchPreparer;
  readonly #buffers: readonly [BatchBuffers, BatchBuffers];
  readonly #weights: Float32Array;

  private constructor(inference: InferenceProgram, data: Dataset, preparer: BatchPreparer, batch: number) {
    this.#inference = inference;
    this.#data = data;
    this.#preparer = preparer;
    this.batch = batch;
    this.#buffers = [batchBuffers(data, batch), batchBuffers(data, batch)];
    this.#weights = new Float32Array(batch);
  }

  static async compile(
    backend: Backend,
    model: ModelConfig,
    data: Dataset,
    preparer: BatchPreparer,
    batch: number,
    options?: FoldOptions,
  ): Promise<Evaluator> {
    const inference = await InferenceProgram.compile(backend, model, evaluationGraph(model, { batch }), options);
    return new Evaluator(inference, data, preparer, batch);
  }

  /** Logits of the batch that ran last: [batch, classes]. */
  get logits(): Tensor {
    return this.#inference.bound.tensor('logits');
  }

  /**
   * Runs over the whole data set and yields the number of images done after each batch.
   * @param mirror  what happens to every image (default: nothing)
   */
  async *run(parameters: Parameters, mirror: Mirror | null = null): AsyncGenerator<number, void, void> {
    const { bound } = this.#inference;
    const { batch } = this;
    const { count } = this.#data;
    this.#inference.writeParameters(parameters);
    for (const name of ['metrics/loss', 'metrics/correct']) bound.write(name, new Float32Array(elementCount([])));
    const sizeOf = (index: number): number => Math.min(batch, count - index * batch);
    const batches = pipelined(0, Math.ceil(count / batch), (_, turn) => this.#buffers[turn], {
      prepare: (index, buffers) => this.#preparer.prepare(null, index * batch, sizeOf(index), buffers, mirror),
      start: (index, { images, labels }) => {
        bound.write('x', images);
        bound.write('labels', labels);
        bound.write('sampleWeights', this.#weights.fill(1, 0, sizeOf(index)).fill(0, sizeOf(index)));
        return bound.program.run();
      },
    });
    for await (const done of batches) yield Math.min(done * batch, count);
  }

  /** Sums over the images since the last `run` began. */
  async readSums(): Promise<MetricSums> {
    const read = async (name: string): Promise<number> => (await this.#inference.bound.tensor(name).read())[0] ?? 0;
    return { loss: await read('metrics/loss'), correct: await read('metrics/correct') };
  }

  dispose(): void {
    this.#inference.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
