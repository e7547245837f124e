import { ValueError, type Backend, type CompileOptions } from '@skiplane/core';
import type { Checkpoint, TrainingState, TrainSettings } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../config.ts';
import type { ImagesOn } from '../data/batch-source.ts';
import { checkDataset, datasetIdentity, type Dataset } from '../data/dataset.ts';
import { defaultEvaluationBatch } from '../evaluate/evaluate-model.ts';
import { isForDevice } from '../recipe/augmentation.ts';
import { kerasBatchNorm } from '../recipe/keras-constants.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { resolveRecipe, type RecipeInput } from '../recipe/resolve.ts';
import { recipeChanges, type RecipeShortcuts } from '../recipe/shortcuts.ts';

export interface TrainOptions extends RecipeShortcuts {
  readonly backend: Backend;
  readonly model: ModelConfig;
  readonly train: Dataset;
  /**
   * Evaluated after every epoch; its accuracy decides which checkpoint is the best. Default: what the recipe says, which is
   * the test images, or some of the training images, which are then not trained on.
   */
  readonly validation?: Dataset;
  /** Evaluated once, at the end, with the weights that training ends with. */
  readonly test?: Dataset | undefined;
  /** Default: that of the checkpoint, else `keras`. */
  readonly recipe?: RecipeInput | undefined;
  /** An integer from 0 to 2^53 − 1: initial parameters, order of the images and augmentation follow from it. */
  readonly seed: number;
  /**
   * Where batches are put together (default 'host'). 'device': all images are copied to the device once, as bytes, and a step
   * sends their numbers only, so that a fast device need not wait for the host. It shifts and flips; recipes that crop need 'host'.
   */
  readonly imagesOn?: ImagesOn;
  /**
   * Whether the loss is scaled dynamically (default false). Meant for backends that hold activations as f16; in f32 it changes
   * nothing but rounding. A step in which a gradient overflows changes neither weights nor the optimizer's state; the moving
   * statistics of batch norms, which come from the forward pass, it changes as any other.
   */
  readonly lossScaling?: boolean;
  /**
   * Parts that a batch is trained in, one after the other, whose gradients are added up, to save memory. The statistics of batch norms
   * are those of a part, and so the numbers are others than of whole batches. Default: that of the checkpoint, else 1, or as few as the memory limit lets.
   */
  readonly parts?: number | undefined;
  /** Default: 128, or all validation images when they are fewer. */
  readonly evaluationBatchSize?: number;
  /** Where to go on. The other options must be those it was trained with, but for `epochs`, which may be raised. */
  readonly checkpoint?: Checkpoint | null | undefined;
  /** When aborted, the running step is finished, a checkpoint is yielded and training ends. */
  readonly signal?: AbortSignal | undefined;
  /** Seconds between checkpoints within an epoch (default 30; 0 for one after every step). */
  readonly saveSeconds?: number;
  /** Seconds between progress events (default 0.2; 0 for one after every step). */
  readonly progressSeconds?: number;
  readonly compile?: CompileOptions;
  /**
   * Most device memory that tensors and programs may take, in bytes (default: what they need). Activations that do not fit are dropped
   * and recomputed, to the same bits; where that is not enough, batches are trained in `parts`. It needs a backend that can tell how much it takes.
   */
  readonly memoryLimit?: number | undefined;
}

/** Options with nothing left open. */
export interface ResolvedOptions {
  readonly options: TrainOptions;
  /** With the recipe's constant of batch norms. */
  readonly model: ModelConfig;
  /** The images to train on, after a split. */
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly settings: TrainSettings;
}

/** Checks options, and resolves defaults and data. @throws {ValueError} listing all that is wrong */
export async function resolveOptions(options: TrainOptions): Promise<ResolvedOptions> {
  const { seed, test, imagesOn = 'host', lossScaling = false } = options;
  const { recipe, problems } = findRecipe(options);
  if (!Number.isSafeInteger(seed) || seed < 0)
    problems.push(`seed is ${seed}, but must be a whole number from 0 to 2^53 - 1`);
  const parts = options.parts ?? options.checkpoint?.training?.settings.parts;
  if (parts !== undefined && !(Number.isSafeInteger(parts) && parts >= 1 && parts <= (recipe?.batchSize ?? parts)))
    problems.push(`parts is ${parts}, but must be a whole number from 1 to the batch size, ${recipe?.batchSize}`);
  const { evaluationBatchSize = 1 } = options;
  if (!Number.isSafeInteger(evaluationBatchSize) || evaluationBatchSize < 1)
    problems.push(`evaluationBatchSize is ${evaluationBatchSize}, but must be a whole number of 1 or more`);
  problems.push(...imagesOnProblems(imagesOn, recipe));
  for (const name of ['saveSeconds', 'progressSeconds'] as const) {
    const seconds = options[name] ?? 0;
    if (!(seconds >= 0)) problems.push(`${name} is ${seconds}, but must be 0 or more`);
  }
  if (problems.length > 0 || recipe === null)
    throw new ValueError(`cannot train ${options.model.name}: ${problems.join('; ')}.`, { problems });
  const model = modelOf(options.model, recipe);
  checkDataset(options.train, model);
  const { train, validation } = await dataOf(options, recipe);
  checkDataset(validation, model);
  if (test !== undefined) checkDataset(test, model);
  const [trainData, validationData] = await Promise.all([datasetIdentity(train), datasetIdentity(validation)]);
  const batch = options.evaluationBatchSize ?? Math.min(defaultEvaluationBatch, validation.count);
  const settings = {
    recipe,
    evaluationBatchSize: batch,
    seed,
    imagesOn,
    lossScaling,
    parts,
    trainData,
    validationData,
  };
  return { options, model, train, validation, settings };
}

/** The recipe, or what is wrong with it. */
function findRecipe(options: TrainOptions): { readonly recipe: Recipe | null; readonly problems: string[] } {
  const { checkpoint, recipe = checkpoint?.training?.settings.recipe ?? 'keras', validation } = options;
  try {
    const base = resolveRecipe(recipe);
    const given = validation === undefined ? {} : { validation: { kind: 'given' } as const };
    return { recipe: resolveRecipe(base, { ...recipeChanges(options, base), ...given }), problems: [] };
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const { problems } = error.details;
    return { recipe: null, problems: Array.isArray(problems) ? problems.map(String) : [error.message] };
  }
}

/** What is wrong with the place where batches are put together. */
function imagesOnProblems(imagesOn: string, recipe: Recipe | null): readonly string[] {
  if (imagesOn !== 'host' && imagesOn !== 'device') {
    return [`imagesOn is '${imagesOn}', but must be 'host' or 'device'`];
  }
  if (imagesOn === 'host' || recipe === null || isForDevice(recipe.augmentation)) return [];
  return [
    `imagesOn is 'device', but the recipe '${recipe.name}' has augmentation '${recipe.augmentation.kind}', and a device can only ` +
      "shift and flip images (augmentation 'shift' or 'none'); give imagesOn: 'host', or another augmentation",
  ];
}

function modelOf(model: ModelConfig, { batchNorm: { epsilon } }: Recipe): ModelConfig {
  const { batchNormEpsilon: _, ...rest } = model;
  return epsilon === kerasBatchNorm.epsilon ? rest : { ...rest, batchNormEpsilon: epsilon };
}

/** What to train on and what to validate on. */
async function dataOf(
  { train, validation, test }: TrainOptions,
  recipe: Recipe,
): Promise<{ readonly train: Dataset; readonly validation: Dataset }> {
  if (validation !== undefined) return { train, validation };
  if (recipe.validation.kind === 'holdout') {
    const { splitDataset } = await import('../data/split.ts');
    return splitDataset(train, recipe.validation);
  }
  if (recipe.validation.kind === 'test' && test !== undefined) return { train, validation: test };
  throw new ValueError(
    `cannot train by the recipe '${recipe.name}': it validates on ${recipe.validation.kind === 'test' ? 'the test images' : 'images of their own'}, ` +
      `but none were given; give ${recipe.validation.kind === 'test' ? '`test`' : '`validation`'}, or a recipe that puts some of the training images aside (validation holdout).`,
    { recipe: recipe.name },
  );
}

/** Steps of an epoch. */
export function stepsOf({ train, settings }: Pick<ResolvedOptions, 'train' | 'settings'>): number {
  return Math.ceil(train.count / settings.recipe.batchSize);
}

/** Where the checkpoint stands; null without one. @throws {ValueError} when it does not fit the options */
export async function savedState(resolved: ResolvedOptions): Promise<TrainingState | null> {
  const { options, model, settings } = resolved;
  if (options.checkpoint == null) return null;
  const { resumedState } = await import('./resume.ts');
  return resumedState(options.checkpoint, model, settings, stepsOf(resolved));
}
