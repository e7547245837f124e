import { kerasAugmentation } from './augmentation.ts';
import type { Recipe } from './recipe.ts';
import type { RecipeChanges } from './resolve.ts';
import { kerasSchedule, type Schedule } from './schedule.ts';

/** A constant rate, the example's schedule, or a schedule as data. */
export type LearningRate = number | 'keras' | Schedule;

/** Settings of a recipe that are changed more often than others. */
export interface RecipeShortcuts {
  /** Epochs in all, those of a checkpoint included. */
  readonly epochs?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly learningRate?: LearningRate | undefined;
  /** False: images as they are. True: Keras's shifts and flips, unless the recipe says how. */
  readonly augment?: boolean | undefined;
}

/** The changes to a recipe that shortcuts stand for. */
export function recipeChanges(
  { epochs, batchSize, learningRate, augment }: RecipeShortcuts,
  { augmentation }: Pick<Recipe, 'augmentation'>,
): RecipeChanges {
  return {
    ...(epochs !== undefined && { epochs }),
    ...(batchSize !== undefined && { batchSize }),
    ...(learningRate !== undefined && { learningRate: scheduleOf(learningRate) }),
    ...(augment === false && { augmentation: { kind: 'none' } }),
    ...(augment === true && augmentation.kind === 'none' && { augmentation: kerasAugmentation }),
  };
}

function scheduleOf(learningRate: LearningRate): Schedule {
  if (learningRate === 'keras') return kerasSchedule;
  return typeof learningRate === 'number' ? { kind: 'constant', rate: learningRate, warmUp: null } : learningRate;
}
