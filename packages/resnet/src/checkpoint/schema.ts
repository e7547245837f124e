import * as v from 'valibot';

/** Shapes of the JSON texts in a checkpoint's metadata. */

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const finite = v.pipe(v.number(), v.finite());

export const modelSchema = v.strictObject({
  name: v.string(),
  family: v.picklist(['v1', 'v2', 'plain']),
  depth: positive,
  imageSize: v.strictTuple([positive, positive]),
  channels: positive,
  classes: positive,
});

export const classNamesSchema = v.array(v.string());

export const preprocessingSchema = v.strictObject({ scale: finite });

const historyRecord = v.strictObject({
  epoch: positive,
  loss: finite,
  accuracy: finite,
  valLoss: finite,
  valAccuracy: finite,
  learningRate: finite,
});

export const trainingSchema = v.strictObject({
  settings: v.strictObject({
    epochs: positive,
    batchSize: positive,
    evaluationBatchSize: positive,
    seed: count,
    learningRate: v.union([v.literal('keras'), finite]),
    augment: v.boolean(),
    interpolationOrder: v.picklist([0, 1]),
    movingVariance: v.picklist(['biased', 'unbiased']),
    imagesOn: v.optional(v.picklist(['host', 'device']), 'host'),
    lossScaling: v.optional(v.boolean(), false),
    trainData: v.string(),
    validationData: v.string(),
  }),
  step: count,
  epochsDone: count,
  position: count,
  history: v.array(historyRecord),
  best: v.nullable(historyRecord),
});
