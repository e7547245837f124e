import * as v from 'valibot';
import { callbacksSchema } from './callback-schema.ts';
import type { Recipe } from './recipe.ts';
import { flag, fraction, notNegative, oneOf, optional, positive, text, wholeNumber } from './rules.ts';
import { scheduleSchema } from './schedule-schema.ts';

const adam = { beta1: optional(fraction, 0.9), beta2: optional(fraction, 0.999), epsilon: optional(positive, 1e-7) };

/** Settings that are left out have Keras's defaults. */
const optimizer = v.variant('kind', [
  v.strictObject({ kind: v.literal('adam'), ...adam }),
  v.strictObject({
    kind: v.literal('adamW'),
    ...adam,
    weightDecay: optional(notNegative, 0.004),
    excludeFromWeightDecay: optional(v.array(text, 'a list of texts'), []),
  }),
  v.strictObject({ kind: v.literal('sgd'), momentum: optional(fraction, 0), nesterov: optional(flag, false) }),
]);

const augmentation = v.variant('kind', [
  v.strictObject({ kind: v.literal('none') }),
  v.strictObject({
    kind: v.literal('shift'),
    range: optional(fraction, 0.1),
    flip: optional(flag, true),
    interpolationOrder: optional(oneOf(0, 1), 1),
  }),
  v.strictObject({
    kind: v.literal('crop'),
    padding: optional(wholeNumber(0), 4),
    flip: optional(flag, true),
    cutout: optional(wholeNumber(0), 0),
  }),
]);

const validation = v.variant('kind', [
  v.strictObject({ kind: v.literal('test') }),
  v.strictObject({ kind: v.literal('given') }),
  v.strictObject({
    kind: v.literal('holdout'),
    size: optional(
      v.pipe(
        positive,
        v.check((value) => value < 1 || Number.isSafeInteger(value), 'a whole number, or a share below 1'),
      ),
      0.1,
    ),
    seed: optional(wholeNumber(0), 1),
  }),
]);

/** Checks a recipe, and fills in what nested settings leave out. */
export const recipeSchema = v.strictObject({
  name: v.pipe(text, v.nonEmpty('a name')),
  epochs: wholeNumber(1),
  batchSize: wholeNumber(1),
  optimizer,
  learningRate: scheduleSchema,
  l2: v.strictObject({ filters: notNegative, dense: notNegative }),
  labelSmoothing: fraction,
  batchNorm: v.strictObject({ momentum: fraction, epsilon: positive, movingVariance: oneOf('biased', 'unbiased') }),
  augmentation,
  validation,
  callbacks: optional(callbacksSchema, []),
  notes: optional(v.array(text, 'a list of texts'), []),
}) satisfies v.GenericSchema<unknown, Recipe>;
