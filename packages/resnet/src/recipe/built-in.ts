import { he2015Recipe, he2015WarmUpRecipe } from './he2015.ts';
import { kerasRecipe } from './keras.ts';
import { modernRecipe } from './modern.ts';
import type { Recipe } from './recipe.ts';

export type RecipeName = 'keras' | 'he2015' | 'he2015-warmup' | 'modern';

/** The recipes that come with the package, by name. */
export const builtInRecipes: Readonly<Record<RecipeName, Recipe>> = {
  keras: kerasRecipe,
  he2015: he2015Recipe,
  'he2015-warmup': he2015WarmUpRecipe,
  modern: modernRecipe,
};

export const recipeNames = Object.keys(builtInRecipes) as readonly RecipeName[];

export function isRecipeName(name: string): name is RecipeName {
  return Object.hasOwn(builtInRecipes, name);
}
