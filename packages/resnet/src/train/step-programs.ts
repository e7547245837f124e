import type { Backend, CompileOptions } from '@skiplane/core';
import type { ModelConfig } from '../config.ts';
import type { BatchSource, PreparedBatch, TransformOptions } from '../data/batch-source.ts';
import type { AugmentationSettings } from '../recipe/augmentation.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { TrainingStep } from './training-step.ts';
import type { TrainingTensors } from './training-tensors.ts';

interface StepProgram {
  readonly step: TrainingStep;
  /** Host memory for its batches, by turns. */
  readonly batches: readonly [PreparedBatch, PreparedBatch];
}

/** The images to train on. */
interface TrainingImages {
  readonly source: BatchSource;
  readonly count: number;
}

/** What a program that gathers its images must do with them. */
function transformOf(augmentation: AugmentationSettings): TransformOptions | null {
  return augmentation.kind === 'shift' ? { interpolationOrder: augmentation.interpolationOrder } : null;
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
    { source, count }: TrainingImages,
    recipe: Recipe,
    extra: { readonly compile?: CompileOptions },
  ): Promise<StepPrograms> {
    const { batchSize, optimizer, batchNorm, l2, labelSmoothing } = recipe;
    const sizes = [...(count >= batchSize ? [batchSize] : []), count % batchSize].filter((size) => size > 0);
    const transform = transformOf(recipe.augmentation);
    const images = { images: source.images(transform), imageTensors: source.tensors };
    const programs: StepProgram[] = [];
    try {
      for (const batch of sizes) {
        const options = { batch, optimizer, batchNorm, l2, labelSmoothing, ...images, ...extra };
        const step = await TrainingStep.compile(backend, model, tensors, options);
        programs.push({ step, batches: [source.batch(batch, transform), source.batch(batch, transform)] });
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

  /** Host memory for a batch, by turns; it is as long as the batch. */
  batch(batch: number, turn: 0 | 1): PreparedBatch {
    return this.#find(batch).batches[turn];
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
