import {
  isForDevice,
  recipeDifferences,
  showSetting,
  type RunCheckpoint,
  type ImagesOn,
  type LearningRate,
  type ModelConfig,
  type Recipe,
  type TrainSettings,
} from '@skiplane/resnet';
import { checkPrecision, type BackendFlags } from '../backends.ts';
import { UsageError } from '../errors.ts';
import { findModel } from '../model.ts';
import { changedRecipe, recipeOf } from './recipe.ts';

/** The options of `skiplane train`; what is undefined was not given. */
export interface TrainFlags extends BackendFlags {
  readonly model?: string | undefined;
  readonly recipe?: string | undefined;
  readonly set?: readonly string[] | undefined;
  readonly printRecipe?: true | undefined;
  readonly data?: string | undefined;
  readonly epochs?: number | undefined;
  readonly batch?: number | undefined;
  readonly lr?: LearningRate | undefined;
  readonly augment?: boolean | undefined;
  readonly seed?: number | undefined;
  readonly seeds?: readonly number[] | undefined;
  readonly dataOn?: ImagesOn | undefined;
  readonly limitTrain?: number | undefined;
  readonly limitTest?: number | undefined;
  readonly out?: string | undefined;
  readonly resume?: true | undefined;
  readonly saveSeconds?: number | undefined;
  readonly memoryLimit?: number | undefined;
  /** False for no report at the end. */
  readonly report?: boolean | undefined;
  readonly json?: true | undefined;
  /** Show the run in the browser, at a port, and open it unless `open` is false. */
  readonly watch?: true | undefined;
  readonly port?: number | undefined;
  readonly open?: boolean | undefined;
}

/** What decides the weights that come out, besides the data. */
export interface Settings {
  readonly model: ModelConfig;
  readonly recipe: Recipe;
  readonly seed: number;
  /** Default: that of `train`. */
  readonly evaluationBatchSize?: number;
  /** Undefined: to be chosen when backend and data are known. */
  readonly imagesOn?: ImagesOn | undefined;
  /** With `--precision f16`. */
  readonly lossScaling: boolean;
  /** Of a batch; undefined: whole batches, or as few as a memory limit lets. */
  readonly parts?: number | undefined;
}

export const defaultModel = 'resnet20v1';

/** The settings of a new run: the Keras example's where nothing is given. */
export function newSettings(flags: TrainFlags): Settings {
  checkPrecision(flags);
  const settings = {
    model: findModel(flags.model ?? defaultModel),
    recipe: recipeOf(flags),
    seed: flags.seed ?? 1,
    imagesOn: flags.dataOn,
    lossScaling: flags.precision === 'f16',
  };
  if (settings.imagesOn === 'device' && !isForDevice(settings.recipe.augmentation)) {
    throw new UsageError(
      `option '--data-on' is device, but the recipe '${settings.recipe.name}' crops its images (augmentation ${settings.recipe.augmentation.kind}), and a device ` +
        'can only shift and flip them: leave it out or give --data-on host, or change the augmentation (such as --no-augment).',
    );
  }
  return settings;
}

/**
 * The settings of a run that goes on: its own, but for the epochs, which may change where the run ends.
 * @throws {UsageError} that lists every option that disagrees with the run
 */
export function resumedSettings(
  flags: TrainFlags,
  { model }: RunCheckpoint,
  kept: TrainSettings,
  path: string,
): Settings {
  const { recipe, seed, imagesOn, lossScaling } = kept;
  const given: readonly (readonly [option: string, value: unknown, kept: unknown])[] = [
    ['--model', flags.model === undefined ? undefined : findModel(flags.model).name, model.name],
    ['--batch', flags.batch, recipe.batchSize],
    ['--augment', flags.augment, recipe.augmentation.kind !== 'none'],
    ['--seed', flags.seed, seed],
    ['--data-on', flags.dataOn, imagesOn],
    ['--precision', flags.precision, precisionOf(kept)],
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
  return { model, recipe: { ...recipe, epochs }, seed, imagesOn, lossScaling };
}

/** The recipe that the options ask for; without `--recipe`, it is the run's with their changes. */
function wantedRecipe(flags: TrainFlags, kept: Recipe): Recipe {
  if (flags.recipe !== undefined) return recipeOf(flags);
  const changed = changedRecipe(kept, flags);
  if (flags.lr === undefined) return changed;
  const { learningRate } = recipeOf({ backend: flags.backend, lr: flags.lr });
  return { ...changed, learningRate };
}

/** The `--precision` of a run: in f16, and only then, it scales its loss. */
export const precisionOf = ({ lossScaling }: Pick<Settings, 'lossScaling'>) => (lossScaling ? 'f16' : 'f32');
