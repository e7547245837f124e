import * as v from 'valibot';
import { patternProblem, pathProblem } from './file-pattern.ts';
import { directionOf } from './monitor.ts';
import { finite, flag, fraction, notNegative, oneOf, optional, text, wholeNumber } from './rules.ts';

const verbose = optional(oneOf(0, 1), 0);
const monitor = (name: string) => ({
  monitor: optional(text, name),
  mode: optional(oneOf('auto', 'min', 'max'), 'auto'),
});

/** Keras refuses 'auto' for a metric of which it does not know whether less or more is better. */
const knowsDirection = <T extends { readonly monitor: string; readonly mode: 'auto' | 'min' | 'max' }>() =>
  v.check<T, string>(
    (settings) => directionOf(settings) !== undefined,
    "one with mode 'min' or 'max', since its monitor is neither a loss nor an accuracy",
  );

const path = (problem: (path: string, extension: string) => string | undefined, extension: string) =>
  v.pipe(
    text,
    v.rawCheck(({ dataset, addIssue }) => {
      const message = dataset.typed ? problem(dataset.value, extension) : undefined;
      if (message !== undefined) addIssue({ message });
    }),
  );

const modelCheckpoint = v.pipe(
  v.strictObject({
    kind: v.literal('ModelCheckpoint'),
    filepath: path(patternProblem, '.safetensors'),
    ...monitor('val_loss'),
    saveBestOnly: optional(flag, false),
    saveWeightsOnly: optional(flag, false),
    initialValueThreshold: optional(v.nullable(finite), null),
    verbose,
  }),
  knowsDirection(),
);

const reduceLROnPlateau = v.pipe(
  v.strictObject({
    kind: v.literal('ReduceLROnPlateau'),
    ...monitor('val_loss'),
    factor: optional(fraction, 0.1),
    patience: optional(wholeNumber(0), 10),
    minDelta: optional(notNegative, 1e-4),
    cooldown: optional(wholeNumber(0), 0),
    minLr: optional(notNegative, 0),
    verbose,
  }),
  knowsDirection(),
);

const earlyStopping = v.pipe(
  v.strictObject({
    kind: v.literal('EarlyStopping'),
    ...monitor('val_loss'),
    minDelta: optional(notNegative, 0),
    patience: optional(wholeNumber(0), 0),
    baseline: optional(v.nullable(finite), null),
    restoreBestWeights: optional(flag, false),
    startFromEpoch: optional(wholeNumber(0), 0),
    verbose,
  }),
  knowsDirection(),
);

const callback = v.variant('kind', [
  modelCheckpoint,
  reduceLROnPlateau,
  v.strictObject({ kind: v.literal('LearningRateScheduler'), combine: optional(oneOf('set', 'min'), 'set') }),
  earlyStopping,
  v.strictObject({
    kind: v.literal('CSVLogger'),
    filename: path(pathProblem, '.csv'),
    separator: optional(v.pipe(text, v.length(1, 'one character')), ','),
    append: optional(flag, false),
  }),
]);

const atMostOne = <T extends readonly v.InferOutput<typeof callback>[]>(
  what: string,
  is: (settings: v.InferOutput<typeof callback>) => boolean,
) => v.check<T, string>((all) => all.filter(is).length <= 1, `a list with one ${what} at most`);

export const callbacksSchema = v.pipe(
  v.array(callback, 'a list of callbacks'),
  atMostOne('LearningRateScheduler', ({ kind }) => kind === 'LearningRateScheduler'),
  atMostOne(
    'EarlyStopping that restores weights',
    (settings) => settings.kind === 'EarlyStopping' && settings.restoreBestWeights,
  ),
);
