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
import type { Model } from '../model.ts';
import type { Mirror } from '../data/augmentation.ts';
import type { BatchSource, PreparedBatch } from '../data/batch-source.ts';
import type { Dataset } from '../data/dataset.ts';
import { writeBatch } from '../data/write-batch.ts';
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

  /** @param shared  tensors that are not the program's own, by the names of the graph's inputs */
  static async compile(
    backend: Backend,
    model: Model,
    { graph, parameters }: ModelGraph,
    { fold = true, compile }: FoldOptions = {},
    shared: ReadonlyMap<string, Tensor> = new Map(),
  ): Promise<InferenceProgram> {
    const folded: { graph: Graph; fold: FoldedGraph['fold'] } = fold
      ? foldBatchNorm(graph)
      : { graph, fold: (all) => new Map(all) };
    const bound = await BoundProgram.compile(backend, folded.graph, shared, compile);
    return new InferenceProgram(bound, model.name, parameters, folded.fold);
  }

  /** Sets the parameters, given as they are in training and in checkpoints. @throws {ValueError} when they are not the model's */
  writeParameters(parameters: Parameters): void {
    checkParameters(this.#model, this.#specs, parameters);
    const bytes = new Set(this.#specs.flatMap(({ name, dtype }) => (dtype === 'i8' ? [name] : [])));
    for (const [name, data] of this.#fold(parameters))
      this.bound.write(name, bytes.has(name) ? Int8Array.from(data) : data);
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
  readonly #batches: readonly [PreparedBatch, PreparedBatch];
  readonly #weights: Float32Array;

  private constructor(inference: InferenceProgram, data: Dataset, source: BatchSource, batch: number) {
    this.#inference = inference;
    this.#data = data;
    this.batch = batch;
    this.#batches = [source.batch(batch, null), source.batch(batch, null)];
    this.#weights = new Float32Array(batch);
  }

  static async compile(
    backend: Backend,
    model: Model,
    data: Dataset,
    source: BatchSource,
    batch: number,
    options?: FoldOptions,
  ): Promise<Evaluator> {
    const graph = evaluationGraph(model, { batch, images: source.images(null) });
    const inference = await InferenceProgram.compile(backend, model, graph, options, source.tensors);
    return new Evaluator(inference, data, source, batch);
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
    const batches = pipelined(0, Math.ceil(count / batch), (_, turn) => this.#batches[turn], {
      prepare: (index, prepared) => prepared.prepare(null, index * batch, sizeOf(index), mirror),
      start: (index, { buffers }) => {
        writeBatch(bound, buffers);
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
