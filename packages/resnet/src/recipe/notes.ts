import type { Recipe } from './recipe.ts';

/** What a user should know before a run: the recipe's own notes, and the flaws that follow from its settings. */
export function recipeNotes(recipe: Recipe): readonly string[] {
  const { labelSmoothing, validation, callbacks, notes } = recipe;
  const flaws: string[] = [];
  if (validation.kind === 'test') {
    flaws.push(
      'the test images are the validation images: they choose the best checkpoint, so its accuracy is flattered; that of the last epoch is not',
    );
  }
  const reduces = callbacks.some(({ kind }) => kind === 'ReduceLROnPlateau');
  const combine = callbacks.find((callback) => callback.kind === 'LearningRateScheduler')?.combine;
  if (reduces && combine === 'set') {
    flaws.push(
      "LearningRateScheduler sets the rate as every epoch begins, so ReduceLROnPlateau never affects training (combine 'min' takes the smaller of both)",
    );
  } else if (reduces) {
    flaws.push('the learning rate is the smaller of the schedule and what ReduceLROnPlateau leaves');
  }
  if (labelSmoothing > 0)
    flaws.push(
      'labels are smoothed in the training loss alone: val_loss is of the labels as they are, which Keras smooths there, too',
    );
  return [...flaws, ...notes];
}
