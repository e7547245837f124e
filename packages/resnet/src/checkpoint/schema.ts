import * as v from 'valibot';
import { familyNames } from '../families/index.ts';
import { recipeSchema } from '../recipe/schema.ts';
import { callbacksStateSchema } from '../train/callbacks/state-schema.ts';

/** Shapes of the JSON texts in a checkpoint's metadata. */

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const finite = v.pipe(v.number(), v.finite());

export const modelSchema = v.strictObject({
  name: v.string(),
  family: v.picklist(familyNames),
  depth: positive,
  imageSize: v.strictTuple([positive, positive]),
  channels: positive,
  classes: positive,
  batchNormEpsilon: v.exactOptional(v.pipe(finite, v.gtValue(0))),
});

export const classNamesSchema = v.array(v.string());

export const preprocessingSchema = v.nullable(v.strictObject({ scale: finite }));

export const historyRecord = v.strictObject({
  epoch: positive,
  loss: finite,
  accuracy: finite,
  valLoss: finite,
  valAccuracy: finite,
  learningRate: finite,
});

export const testResult = v.strictObject({ loss: finite, accuracy: finite, count: positive });

export const trainingSchema = v.strictObject({
  settings: v.strictObject({
    recipe: recipeSchema,
    evaluationBatchSize: positive,
    seed: count,
    imagesOn: v.optional(v.picklist(['host', 'device']), 'host'),
    lossScaling: v.optional(v.boolean(), false),
    parts: v.optional(positive),
    trainData: v.string(),
    validationData: v.string(),
  }),
  step: count,
  epochsDone: count,
  position: count,
  history: v.array(historyRecord),
  best: v.nullable(historyRecord),
  callbacks: callbacksStateSchema,
  end: v.nullable(
    v.strictObject({
      restoredEpoch: v.nullable(positive),
      test: v.nullable(testResult),
    }),
  ),
});
