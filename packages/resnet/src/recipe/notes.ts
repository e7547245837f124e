import type { Recipe } from './recipe.ts';

/** What a user should know before a run: the recipe's own notes, and the flaws that follow from its settings. */
export function recipeNotes(recipe: Recipe): readonly string[] {
  const { validation, callbacks, notes } = recipe;
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
  return [...flaws, ...notes];
}
