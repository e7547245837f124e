import { foldBatchNorm, NumericError, ValueError } from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { describe, expect, it } from 'vitest';
import {
  classResults,
  createPreprocessing,
  evaluateModel,
  evaluationGraph,
  modelConfig,
  Predictor,
  predictImages,
  syntheticDataset,
  takeDataset,
  type EvaluateOptions,
  type PredictOptions,
  type Preprocessing,
} from '../src/index.ts';
import { perturbedParameters } from './support/random.ts';
import { roundingBackend } from './support/rounding-backend.ts';

const data = syntheticDataset({ count: 23, seed: 2, split: 'test', size: 8 });
const model = modelConfig('resnet8v1', { imageSize: [8, 8] });
const preprocessing = createPreprocessing(data);
const parameters = perturbedParameters(model);
for (const [name, values] of parameters)
  if (name.endsWith('variance')) values.forEach((value, i) => (values[i] = Math.abs(value)));

const evaluation = (changes: Partial<EvaluateOptions> = {}) =>
  evaluateModel({
    backend: createReferenceBackend(),
    model,
    parameters,
    preprocessing,
    data,
    batchSize: 5,
    ...changes,
  });
const rankings = (changes: Partial<PredictOptions> = {}) =>
  predictImages({
    backend: createReferenceBackend(),
    model,
    parameters,
    preprocessing,
    classNames: data.classNames,
    images: data.images,
    ...changes,
  });

describe('evaluateModel', () => {
  it('counts, and fills the confusion matrix', async () => {
    const { correct, count, accuracy, confusion, predictions } = await evaluation();
    expect(count).toBe(23);
    expect(accuracy).toBe(correct / 23);
    expect(predictions.filter((prediction, i) => prediction === data.labels[i])).toHaveLength(correct);
    expect(confusion.flat().reduce((a, b) => a + b, 0)).toBe(23);
    expect(confusion.reduce((sum, row, label) => sum + (row[label] ?? 0), 0)).toBe(correct);
    predictions.forEach((prediction, i) => expect(confusion[data.labels[i] ?? -1]?.[prediction]).toBeGreaterThan(0));
  });

  it('does not depend on the batch size: padding counts for nothing', async () => {
    const one = await evaluation({ batchSize: 1 });
    for (const batchSize of [4, 23, 64]) {
      const other = await evaluation({ batchSize });
      expect(other.predictions).toEqual(one.predictions);
      expect(other.correct).toBe(one.correct);
      expect(other.loss).toBeCloseTo(one.loss, 6);
    }
  });

  it('gives the same with folded batch norms as without', async () => {
    for (const name of ['resnet8v1', 'resnet11v2', 'plain8']) {
      const net = modelConfig(name, { imageSize: [8, 8] });
      const own = perturbedParameters(net);
      for (const [key, values] of own)
        if (key.endsWith('variance')) values.forEach((value, i) => (values[i] = Math.abs(value)));
      const folded = await evaluation({ model: net, parameters: own });
      const plain = await evaluation({ model: net, parameters: own, fold: false });
      expect(folded.predictions).toEqual(plain.predictions);
      expect(Math.abs(folded.loss - plain.loss)).toBeLessThan(1e-5 * plain.loss);
      const { graph } = evaluationGraph(net, { batch: 1 });
      expect(foldBatchNorm(graph).graph.ops.length).toBeLessThan(graph.ops.length);
    }
  });

  it('adds the L2 penalty to the loss, apart from the cross-entropy', async () => {
    const { loss, crossEntropy } = await evaluation();
    let penalty = 0;
    for (const [name, values] of parameters)
      if (name.endsWith('filter')) for (const w of values) penalty += 1e-4 * w * w;
    expect(loss - crossEntropy).toBeCloseTo(penalty, 9);
  });

  it('is the mean of −log of the probability that predictImages gives the label', async () => {
    const predictions = await rankings();
    const losses = predictions.map(
      (ranking, i) => -Math.log(ranking.find(({ classIndex }) => classIndex === data.labels[i])?.probability ?? 0),
    );
    const result = await evaluation();
    expect(result.crossEntropy).toBeCloseTo(losses.reduce((a, b) => a + b, 0) / 23, 4);
    losses.forEach((loss, i) => expect(result.losses[i]).toBeCloseTo(loss, 4));
  });

  it('counts the images whose label is among the k likeliest', async () => {
    const predictions = await rankings();
    for (const k of [1, 3, 10]) {
      const { topK, correct } = await evaluation({ topK: k });
      const among = predictions.filter((ranking, i) =>
        ranking.slice(0, k).some(({ classIndex }) => classIndex === data.labels[i]),
      ).length;
      expect(topK).toEqual({ k, correct: among, accuracy: among / 23 });
      if (k === 1) expect(topK?.correct).toBe(correct);
    }
    expect((await evaluation()).topK).toBeNull();
    await expect(evaluation({ topK: 11 })).rejects.toThrow('topK must be a whole number from 1 to 10');
  });

  it('takes the mean of the probabilities of an image and of its mirror image', async () => {
    const symmetric: Preprocessing = { ...preprocessing, mean: new Float32Array(192) };
    const mirrored = new Uint8Array(data.images.length);
    for (let i = 0; i < data.count * 8; i++)
      for (let c = 0; c < 8; c++)
        mirrored.set(data.images.subarray((i * 8 + 7 - c) * 3, (i * 8 + 8 - c) * 3), (i * 8 + c) * 3);
    const [own, other] = await Promise.all(
      [data.images, mirrored].map((images) => rankings({ images, preprocessing: symmetric })),
    );
    const probability = (all: typeof own, image: number, label: number): number =>
      all?.[image]?.find(({ classIndex }) => classIndex === label)?.probability ?? Number.NaN;
    const losses = Array.from(
      data.labels,
      (label, i) => -Math.log((probability(own, i, label) + probability(other, i, label)) / 2),
    );
    const done: number[] = [];
    const flipped = await evaluation({ preprocessing: symmetric, flip: true, onProgress: (count) => done.push(count) });
    expect(flipped.crossEntropy).toBeCloseTo(losses.reduce((a, b) => a + b, 0) / 23, 5);
    expect(flipped.correct).toBe(flipped.predictions.filter((prediction, i) => prediction === data.labels[i]).length);
    expect(done).toHaveLength(10);
    expect(done.at(-1)).toBe(23);
    const twice = await evaluation({ data: { ...data, images: mirrored }, preprocessing: symmetric, flip: true });
    expect(twice.crossEntropy).toBeCloseTo(flipped.crossEntropy, 6);
  });

  it('is told class by class', async () => {
    const results = classResults(
      [
        [3, 1, 0],
        [0, 0, 0],
        [2, 0, 4],
      ],
      ['a', 'b', 'c'],
    );
    expect(results).toEqual([
      { className: 'a', count: 4, correct: 3, accuracy: 0.75, precision: 0.6, mistakenFor: 'b' },
      { className: 'b', count: 0, correct: 0, accuracy: Number.NaN, precision: 0, mistakenFor: null },
      { className: 'c', count: 6, correct: 4, accuracy: 4 / 6, precision: 1, mistakenFor: 'a' },
    ]);
  });

  it('takes a limit, tells of its progress, and can be aborted', async () => {
    const progress: string[] = [];
    const { count, predictions } = await evaluation({
      limit: 12,
      onProgress: (done, all) => progress.push(`${done}/${all}`),
    });
    expect([count, predictions.length]).toEqual([12, 12]);
    expect(progress).toEqual(['5/12', '10/12', '12/12']);
    expect((await evaluation({ limit: 1000 })).count).toBe(23);
    const backend = roundingBackend();
    const controller = new AbortController();
    const run = evaluation({ backend, signal: controller.signal, onProgress: () => controller.abort() });
    await expect(run).rejects.toThrow('aborted');
    expect(backend.liveTensors()).toBe(0);
  });

  it('refuses what does not fit', async () => {
    const few = new Map(parameters);
    few.delete('stem/bn/beta');
    few.set('extra', new Float32Array(1));
    few.set('head/dense/bias', new Float32Array(9));
    await expect(evaluation({ parameters: few })).rejects.toThrow(
      /not the parameters of resnet8v1: 'extra' does not belong to it; 'stem\/bn\/beta' is missing; 'head\/dense\/bias' has 9 values where it is \[10\]/,
    );
    await expect(evaluation({ data: syntheticDataset({ count: 3, seed: 1, split: 'test', size: 4 }) })).rejects.toThrow(
      ValueError,
    );
    await expect(evaluation({ batchSize: 0 })).rejects.toThrow(
      'batchSize must be a whole number of 1 or more, but is 0',
    );
    await expect(evaluation({ limit: 0 })).rejects.toThrow('no images');
  });

  it('says when the numbers are none', async () => {
    const broken = new Map(parameters).set('head/dense/bias', new Float32Array(10).fill(Number.NaN));
    await expect(evaluation({ parameters: broken })).rejects.toThrow(NumericError);
  });
});

describe('predictImages', () => {
  it('ranks the classes of every image, as the evaluation does', async () => {
    const predictions = await rankings({ batchSize: 4 });
    const { predictions: first } = await evaluation();
    expect(predictions.map(([best]) => best?.classIndex)).toEqual([...first]);
    for (const ranking of predictions) {
      expect(ranking).toHaveLength(10);
      expect(ranking.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 6);
      expect(ranking.map(({ probability }) => probability)).toEqual(
        ranking.map(({ probability }) => probability).toSorted((a, b) => b - a),
      );
      for (const { classIndex, className } of ranking) expect(className).toBe(data.classNames[classIndex]);
    }
  });

  it('gives the top k, and the same for one image as for many', async () => {
    const all = await rankings({ topK: 3 });
    expect(all.every((ranking) => ranking.length === 3)).toBe(true);
    const one = await rankings({ topK: 3, images: takeDataset(data, 9, 1).images });
    expect(one).toHaveLength(1);
    one[0]?.forEach((choice, i) => {
      expect(choice.classIndex).toBe(all[9]?.[i]?.classIndex);
      expect(choice.probability).toBeCloseTo(all[9]?.[i]?.probability ?? 0, 6);
    });
    expect(await rankings({ images: new Uint8Array(0) })).toEqual([]);
  });

  it('can be asked again and again without compiling anew', async () => {
    const backend = roundingBackend();
    const options = { backend, model, parameters, preprocessing, classNames: data.classNames };
    const predictor = await Predictor.compile({ ...options, batchSize: 2 });
    const all = await rankings({ topK: 1 });
    for (const image of [3, 8]) {
      const [[best] = []] = await predictor.predict(takeDataset(data, image, 1).images, 1);
      expect(best?.className).toBe(all[image]?.[0]?.className);
    }
    await expect(predictor.predict(new Uint8Array(5))).rejects.toThrow('5 bytes of images are no multiple of 192');
    predictor.dispose();
    await expect(Predictor.compile({ ...options, parameters: new Map() })).rejects.toThrow(
      "'stem/conv/filter' is missing",
    );
    expect(backend.liveTensors()).toBe(0);
  });

  it('refuses what does not fit', async () => {
    await expect(rankings({ images: new Uint8Array(100), topK: 0 })).rejects.toThrow(
      /100 bytes of images are no multiple of 192.*topK is 0.*8×8×3/,
    );
    await expect(rankings({ classNames: ['a'], batchSize: 1.5 })).rejects.toThrow(
      /1 class names for 10 classes; batchSize is 1.5/,
    );
    await expect(rankings({ batchSize: 0 })).rejects.toThrow('batchSize is 0');
  });
});
