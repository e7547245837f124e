import {
  dropoutRandom,
  type Backend,
  type CompileOptions,
  type Profile,
  type Recomputation,
  type Tensor,
} from '@skiplane/core';
import { BoundProgram } from '../bound-program.ts';
import type { Model } from '../model.ts';
import type { BatchBuffers } from '../data/batch-preparer.ts';
import type { GatherBuffers } from '../data/batch-source.ts';
import { writeBatch } from '../data/write-batch.ts';
import { optimizerRule, type OptimizerRule } from '../graphs/optimizer.ts';
import { randomInput } from '../network-builder.ts';
import { trainingGraph, type TrainingGraphOptions } from '../graphs/training.ts';
import { kerasAdam } from '../recipe/optimizer.ts';
import type { Step } from './step.ts';
import type { TrainingTensors } from './training-tensors.ts';

/** The loss is scaled where the tensors are for it. */
export interface TrainingStepOptions extends Omit<TrainingGraphOptions, 'lossScaling'> {
  readonly compile?: CompileOptions;
  /** Of the random numbers of nets that have some, as with dropout (default 0). */
  readonly seed?: number;
  /** What `images` are gathered from, by the names of the graph's inputs. */
  readonly imageTensors?: ReadonlyMap<string, Tensor>;
}

/**
 * A compiled training step for one batch size. Steps of several sizes may share the same tensors: the last batch of an
 * epoch is smaller, and is neither dropped nor padded, since batch norm would see the padding.
 */
export class TrainingStep implements Step {
  readonly batch: number;
  readonly #bound: BoundProgram;
  readonly #tensors: TrainingTensors;
  readonly #scalars: OptimizerRule['scalars'];
  readonly #seed: number;

  private constructor(
    bound: BoundProgram,
    tensors: TrainingTensors,
    { batch, optimizer = kerasAdam, seed = 0 }: TrainingStepOptions,
  ) {
    this.#bound = bound;
    this.#tensors = tensors;
    this.#scalars = optimizerRule(optimizer).scalars;
    this.batch = batch;
    this.#seed = seed;
  }

  static async compile(
    backend: Backend,
    model: Model,
    tensors: TrainingTensors,
    options: TrainingStepOptions,
  ): Promise<TrainingStep> {
    const { graph } = trainingGraph(model, { ...options, lossScaling: tensors.lossScaling });
    const shared = new Map([...tensors.byName, ...(options.imageTensors ?? [])]);
    return new TrainingStep(await BoundProgram.compile(backend, graph, shared, options.compile), tensors, options);
  }

  get recomputation(): Recomputation | null {
    return this.#bound.program.report.recomputation ?? null;
  }

  get arenaBytes(): number {
    return this.#bound.program.report.arenaBytes;
  }

  run(buffers: BatchBuffers | GatherBuffers, learningRate: number, step: number): Promise<void> {
    this.#write(buffers, learningRate, step);
    return this.#bound.program.run();
  }

  /** Does one step as `run` does, and times each of its ops. */
  profile(buffers: BatchBuffers | GatherBuffers, learningRate: number, step: number): Promise<Profile> {
    this.#write(buffers, learningRate, step);
    return this.#bound.program.profile();
  }

  dispose(): void {
    this.#bound.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #write(buffers: BatchBuffers | GatherBuffers, learningRate: number, step: number): void {
    writeBatch(this.#bound, buffers);
    if (this.#bound.has(randomInput)) this.#bound.write(randomInput, dropoutRandom(this.#seed, step));
    for (const [name, valueAt] of Object.entries(this.#scalars))
      this.#tensors.writeScalar(name, valueAt(learningRate, step));
  }
}
