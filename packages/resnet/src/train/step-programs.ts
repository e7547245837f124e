import type { Backend, CompileOptions } from '@skiplane/core';
import type { ModelConfig } from '../config.ts';
import { batchBuffers, type BatchBuffers } from '../data/batch-preparer.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { TrainingStep } from './training-step.ts';
import type { TrainingTensors } from './training-tensors.ts';

interface StepProgram {
  readonly step: TrainingStep;
  /** Host memory for its batches, by turns. */
  readonly buffers: readonly [BatchBuffers, BatchBuffers];
}

/** The compiled steps of an epoch: one for full batches, and one for a smaller last batch where there is one. */
export class StepPrograms implements Disposable {
  readonly #programs: readonly StepProgram[];

  private constructor(programs: readonly StepProgram[]) {
    this.#programs = programs;
  }

  static async compile(
    backend: Backend,
    model: ModelConfig,
    tensors: TrainingTensors,
    data: Dataset,
    recipe: Recipe,
    extra: { readonly compile?: CompileOptions },
  ): Promise<StepPrograms> {
    const { batchSize, optimizer, batchNorm, l2, labelSmoothing } = recipe;
    const sizes = [...(data.count >= batchSize ? [batchSize] : []), data.count % batchSize].filter((size) => size > 0);
    const programs: StepProgram[] = [];
    try {
      for (const batch of sizes) {
        const options = { batch, optimizer, batchNorm, l2, labelSmoothing, ...extra };
        const step = await TrainingStep.compile(backend, model, tensors, options);
        programs.push({ step, buffers: [batchBuffers(data, batch), batchBuffers(data, batch)] });
      }
    } catch (error) {
      for (const { step } of programs) step.dispose();
      throw error;
    }
    return new StepPrograms(programs);
  }

  /** Device memory for the values between ops, of the larger program. */
  get arenaBytes(): number {
    return Math.max(0, ...this.#programs.map(({ step }) => step.arenaBytes));
  }

  /** The program for a batch size. */
  of(batch: number): TrainingStep {
    return this.#find(batch).step;
  }

  /** Host memory for a batch, by turns; buffers are as long as it. */
  buffers(batch: number, turn: 0 | 1): BatchBuffers {
    return this.#find(batch).buffers[turn];
  }

  dispose(): void {
    for (const { step } of this.#programs) step.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #find(batch: number): StepProgram {
    const program = this.#programs.find(({ step }) => step.batch === batch);
    if (program === undefined) throw new Error(`there is no program for batches of ${batch}`);
    return program;
  }
}
