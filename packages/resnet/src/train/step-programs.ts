import { OutOfMemoryError, type Backend, type CompileOptions } from '@skiplane/core';
import type { ModelConfig } from '../config.ts';
import type { BatchSource, PreparedBatch, TransformOptions } from '../data/batch-source.ts';
import type { AugmentationSettings } from '../recipe/augmentation.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { TrainingMemory } from './events.ts';
import { parameterSpecs } from '../initial-parameters.ts';
import type { GradientSums } from './divided-step.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { partsOf, partSizes } from './micro-batches.ts';
import type { Fit, Step } from './step.ts';
import { TrainingStep } from './training-step.ts';
import type { TrainingTensors } from './training-tensors.ts';

interface StepOptions {
  readonly compile?: CompileOptions | undefined;
  readonly budget: MemoryBudget | null;
  readonly seed: number;
  /** Parts that a full batch is trained in; 'fewest': as few as the budget lets. */
  readonly parts: number | 'fewest';
}

interface StepProgram {
  readonly step: Step;
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
export const bytesAnImage = ({ imageSize: [height, width], channels, classes }: ModelConfig): number =>
  4 * (height * width * channels + classes);

/** Images of a part at least: of one image alone the statistics of a batch norm are worth little. */
const smallestPart = 2;

/** Numbers of parts into which a batch can be divided evenly. */
const divisions = (batch: number): readonly number[] =>
  Array.from({ length: batch }, (_, i) => i + 1).filter(
    (parts) => parts === 1 || (batch % parts === 0 && batch / parts >= smallestPart),
  );

/** The compiled steps of an epoch: one for full batches, and one for a smaller last batch where there is one. */
export class StepPrograms implements Disposable {
  /** Parts that a full batch is trained in. */
  readonly parts: number;
  readonly #programs: readonly StepProgram[];
  readonly #sums: GradientSums | null;

  private constructor(parts: number, programs: readonly StepProgram[], sums: GradientSums | null) {
    this.parts = parts;
    this.#programs = programs;
    this.#sums = sums;
  }

  /** @throws {OutOfMemoryError} that says the least limit that would do */
  static async compile(
    backend: Backend,
    model: ModelConfig,
    tensors: TrainingTensors,
    images: TrainingImages,
    recipe: Recipe,
    options: StepOptions,
  ): Promise<StepPrograms> {
    const { parts } = options;
    const candidates = parts === 'fewest' ? divisions(Math.min(recipe.batchSize, images.count)) : [parts];
    let [least, leastBytes]: [error: unknown, bytes: number] = [undefined, Infinity];
    for (const candidate of candidates) {
      try {
        // The next one only where this does not fit.
        return await StepPrograms.#divided(backend, model, tensors, images, recipe, { ...options, parts: candidate });
      } catch (error) {
        // What the budget says when it cannot be kept.
        const needed = error instanceof OutOfMemoryError ? error.details['neededBytes'] : undefined;
        if (typeof needed !== 'number') throw error;
        if (needed < leastBytes) [least, leastBytes] = [error, needed];
        // What was disposed is free once all earlier calls have ended, which a read waits for.
        await tensors.readMetrics();
      }
    }
    throw least ?? new Error('there is no division');
  }

  static async #divided(
    backend: Backend,
    model: ModelConfig,
    tensors: TrainingTensors,
    { source, count }: TrainingImages,
    recipe: Recipe,
    { compile, budget, seed, parts }: StepOptions & { readonly parts: number },
  ): Promise<StepPrograms> {
    const { batchSize, optimizer, batchNorm, l2, labelSmoothing } = recipe;
    const sizes = [...(count >= batchSize ? [batchSize] : []), count % batchSize].filter((size) => size > 0);
    const full = Math.min(batchSize, count);
    const transform = transformOf(recipe.augmentation);
    const common = { optimizer, batchNorm, l2, labelSmoothing, seed, images: source.images(transform) };
    const options = { ...common, imageTensors: source.tensors, ...(compile !== undefined && { compile }) };
    const specs = parameterSpecs(model, l2);
    budget?.expect(sizes.flatMap((batch) => [...new Set(partSizes(batch, partsOf(batch, full, parts)))]));
    const what = `a training step of ${model.name} with batches of ${full}${parts > 1 ? ` in ${parts} parts` : ''}`;
    const fit: Fit = (make) =>
      budget === null ? make({}) : budget.fit(what, (arenaLimitBytes) => make({ arenaLimitBytes }));
    // Few runs divide their batches, and a page need not load what they need.
    const divided = parts > 1 ? await import('./divided-step.ts') : null;
    const sums = divided === null ? null : new divided.GradientSums(backend, specs);
    const programs: StepProgram[] = [];
    try {
      for (const batch of sizes) {
        const step =
          divided === null || sums === null
            ? await fit((limit) =>
                TrainingStep.compile(backend, model, tensors, { ...options, batch, compile: { ...compile, ...limit } }),
              )
            : await divided.DividedStep.compile(
                backend,
                model,
                tensors,
                sums,
                { ...options, batch, specs, parts: partsOf(batch, full, parts) },
                fit,
              );
        programs.push({ step, batches: [source.batch(batch, transform), source.batch(batch, transform)] });
      }
    } catch (error) {
      for (const { step } of programs) step.dispose();
      sums?.dispose();
      throw error;
    }
    return new StepPrograms(parts, programs, sums);
  }

  /** Device memory for the values between ops, of the larger program. */
  get arenaBytes(): number {
    return Math.max(0, ...this.#programs.map(({ step }) => step.arenaBytes));
  }

  /** What was planned within a budget. */
  memory({ limitBytes, usedBytes }: MemoryBudget): TrainingMemory | null {
    const { recomputation = null } = this.#programs[0]?.step ?? {};
    if (recomputation === null) return null;
    const { ops, share, wholeBytes } = recomputation;
    return {
      limitBytes,
      plannedBytes: usedBytes,
      arenaBytes: this.arenaBytes,
      wholeArenaBytes: wholeBytes,
      recomputedOps: ops,
      recomputedShare: share,
      parts: this.parts,
    };
  }

  /** The program for a batch size. */
  of(batch: number): Step {
    return this.#find(batch).step;
  }

  /** Host memory for a batch, by turns; it is as long as the batch. */
  batch(batch: number, turn: 0 | 1): PreparedBatch {
    return this.#find(batch).batches[turn];
  }

  dispose(): void {
    for (const { step } of this.#programs) step.dispose();
    this.#sums?.dispose();
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
