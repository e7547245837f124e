import type { Backend, CompileOptions, Recomputation } from '@skiplane/core';
import type { ModelConfig } from '../config.ts';
import type { BatchSource, PreparedBatch, TransformOptions } from '../data/batch-source.ts';
import type { AugmentationSettings } from '../recipe/augmentation.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { TrainingStep } from './training-step.ts';
import type { TrainingTensors } from './training-tensors.ts';

interface StepOptions {
  readonly compile?: CompileOptions | undefined;
  readonly budget: MemoryBudget | null;
  readonly seed: number;
}

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

/** Of pixels and labels. */
const bytesAnImage = ({ imageSize: [height, width], channels, classes }: ModelConfig): number =>
  4 * (height * width * channels + classes);

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
    { compile, budget, seed }: StepOptions,
  ): Promise<StepPrograms> {
    const { batchSize, optimizer, batchNorm, l2, labelSmoothing } = recipe;
    const sizes = [...(count >= batchSize ? [batchSize] : []), count % batchSize].filter((size) => size > 0);
    const transform = transformOf(recipe.augmentation);
    const images = { images: source.images(transform), imageTensors: source.tensors };
    const programs: StepProgram[] = [];
    try {
      // The small one first, so that the large one takes all that it has left.
      for (const [index, batch] of sizes.toReversed().entries()) {
        const common = { batch, optimizer, batchNorm, l2, labelSmoothing, seed, ...images };
        const make = (arenaLimitBytes?: number): Promise<TrainingStep> => {
          const limited = arenaLimitBytes === undefined ? compile : { ...compile, arenaLimitBytes };
          return TrainingStep.compile(backend, model, tensors, {
            ...common,
            ...(limited !== undefined && { compile: limited }),
          });
        };
        const share = batch / sizes.slice(0, sizes.length - index).reduce((sum, size) => sum + size, 0);
        const what = `a training step of ${model.name} with batches of ${batch}`;
        const step = await (budget === null ? make() : budget.fit(what, share, batch * bytesAnImage(model), make));
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

  /** That of the larger program. */
  get recomputation(): Recomputation | null {
    return this.#programs.at(-1)?.step.recomputation ?? null;
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
