import {
  kerasTraining,
  type Checkpoint,
  type ImagesOn,
  type LearningRate,
  type ModelConfig,
  type TrainSettings,
} from '@skiplane/resnet';
import type { BackendFlags } from '../backends.ts';
import { UsageError } from '../errors.ts';
import { findModel } from '../model.ts';

/** The options of `skiplane train`; what is undefined was not given. */
export interface TrainFlags extends BackendFlags {
  readonly model?: string | undefined;
  readonly data?: string | undefined;
  readonly epochs?: number | undefined;
  readonly batch?: number | undefined;
  readonly lr?: LearningRate | undefined;
  readonly augment?: boolean | undefined;
  readonly seed?: number | undefined;
  readonly dataOn?: ImagesOn | undefined;
  readonly limitTrain?: number | undefined;
  readonly limitTest?: number | undefined;
  readonly out?: string | undefined;
  readonly resume?: true | undefined;
  readonly saveSeconds?: number | undefined;
  readonly json?: true | undefined;
}

/** What decides the weights that come out, besides the data. */
export interface Settings {
  readonly model: ModelConfig;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: LearningRate;
  readonly augment: boolean;
  readonly seed: number;
  /** Undefined: to be chosen when backend and data are known. */
  readonly imagesOn: ImagesOn | undefined;
  /** With `--precision f16`. */
  readonly lossScaling: boolean;
}

export const defaultModel = 'resnet20v1';

/** The settings of a new run: the Keras example's where nothing is given. */
export function newSettings(flags: TrainFlags): Settings {
  return {
    model: findModel(flags.model ?? defaultModel),
    epochs: flags.epochs ?? kerasTraining.epochs,
    batchSize: flags.batch ?? kerasTraining.batchSize,
    learningRate: flags.lr ?? 'keras',
    augment: flags.augment ?? true,
    seed: flags.seed ?? 1,
    imagesOn: flags.dataOn,
    lossScaling: flags.precision === 'f16',
  };
}

/**
 * The settings of a run that goes on: its own, but for `--epochs`, which may change where the run ends.
 * @throws {UsageError} that lists every option that disagrees with the run
 */
export function resumedSettings(flags: TrainFlags, { model }: Checkpoint, kept: TrainSettings, path: string): Settings {
  const given: readonly (readonly [option: string, value: unknown, kept: unknown])[] = [
    ['--model', flags.model === undefined ? undefined : findModel(flags.model).name, model.name],
    ['--batch', flags.batch, kept.batchSize],
    ['--lr', flags.lr, kept.learningRate],
    ['--augment', flags.augment, kept.augment],
    ['--seed', flags.seed, kept.seed],
    ['--data-on', flags.dataOn, kept.imagesOn],
    ['--precision', flags.precision, precisionOf(kept)],
  ];
  const problems = given
    .filter(([, value, own]) => value !== undefined && value !== own)
    .map(([option, value, own]) => `${option} is ${String(value)}, but the run has ${String(own)}`);
  if (problems.length > 0) {
    throw new UsageError(
      `cannot resume '${path}': ${problems.join('; ')}. Leave these options out, or begin a new run with another --out.`,
    );
  }
  const { batchSize, learningRate, augment, seed, imagesOn, lossScaling } = kept;
  return { model, epochs: flags.epochs ?? kept.epochs, batchSize, learningRate, augment, seed, imagesOn, lossScaling };
}

/** The `--precision` of a run: in f16, and only then, it scales its loss. */
export const precisionOf = ({ lossScaling }: Pick<Settings, 'lossScaling'>) => (lossScaling ? 'f16' : 'f32');
