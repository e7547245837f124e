import {
  recipeDifferences,
  showSetting,
  type Checkpoint,
  type LearningRate,
  type ModelConfig,
  type Recipe,
  type TrainSettings,
} from '@skiplane/resnet';
import type { BackendName } from '../backend-names.ts';
import { UsageError } from '../errors.ts';
import { findModel } from '../model.ts';
import { changedRecipe, recipeOf } from './recipe.ts';

/** The options of `skiplane train`; what is undefined was not given. */
export interface TrainFlags {
  readonly model?: string | undefined;
  readonly recipe?: string | undefined;
  readonly set?: readonly string[] | undefined;
  readonly printRecipe?: true | undefined;
  readonly backend: BackendName;
  readonly data?: string | undefined;
  readonly epochs?: number | undefined;
  readonly batch?: number | undefined;
  readonly lr?: LearningRate | undefined;
  readonly augment?: boolean | undefined;
  readonly seed?: number | undefined;
  readonly seeds?: readonly number[] | undefined;
  readonly threads?: number | undefined;
  readonly limitTrain?: number | undefined;
  readonly limitTest?: number | undefined;
  readonly out?: string | undefined;
  readonly resume?: true | undefined;
  readonly saveSeconds?: number | undefined;
  /** False for no report at the end. */
  readonly report?: boolean | undefined;
  readonly json?: true | undefined;
}

/** What decides the weights that come out, besides the data. */
export interface Settings {
  readonly model: ModelConfig;
  readonly recipe: Recipe;
  readonly seed: number;
  /** Default: that of `train`. */
  readonly evaluationBatchSize?: number;
}

export const defaultModel = 'resnet20v1';

/** The settings of a new run: the Keras example's where nothing is given. */
export function newSettings(flags: TrainFlags): Settings {
  return { model: findModel(flags.model ?? defaultModel), recipe: recipeOf(flags), seed: flags.seed ?? 1 };
}

/**
 * The settings of a run that goes on: its own, but for the epochs, which may change where the run ends.
 * @throws {UsageError} that lists every option that disagrees with the run
 */
export function resumedSettings(flags: TrainFlags, { model }: Checkpoint, kept: TrainSettings, path: string): Settings {
  const { recipe, seed } = kept;
  const given: readonly (readonly [option: string, value: unknown, kept: unknown])[] = [
    ['--model', flags.model === undefined ? undefined : findModel(flags.model).name, model.name],
    ['--batch', flags.batch, recipe.batchSize],
    ['--augment', flags.augment, recipe.augmentation.kind !== 'none'],
    ['--seed', flags.seed, seed],
  ];
  const problems = given
    .filter(([, value, own]) => value !== undefined && value !== own)
    .map(([option, value, own]) => `${option} is ${String(value)}, but the run has ${String(own)}`);
  const wanted = wantedRecipe(flags, recipe);
  for (const { path: setting, present, saved } of recipeDifferences(wanted, recipe)) {
    const told =
      (setting === 'batchSize' && flags.batch !== undefined) || (setting === 'augmentation' && flags.augment === false);
    if (!told) problems.push(`${setting} is ${showSetting(present)}, but the run has ${showSetting(saved)}`);
  }
  if (problems.length > 0) {
    throw new UsageError(
      `cannot resume '${path}': ${problems.join('; ')}. Leave these options out, or begin a new run with another --out.`,
    );
  }
  const epochs = flags.epochs ?? (flags.recipe === undefined ? wanted.epochs : recipe.epochs);
  return { model, recipe: { ...recipe, epochs }, seed };
}

/** The recipe that the options ask for; without `--recipe`, it is the run's with their changes. */
function wantedRecipe(flags: TrainFlags, kept: Recipe): Recipe {
  if (flags.recipe !== undefined) return recipeOf(flags);
  const changed = changedRecipe(kept, flags);
  if (flags.lr === undefined) return changed;
  const { learningRate } = recipeOf({ backend: flags.backend, lr: flags.lr });
  return { ...changed, learningRate };
}
