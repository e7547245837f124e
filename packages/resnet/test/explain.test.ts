import { createReferenceBackend } from '@skiplane/core/reference';
import { describe, expect, it } from 'vitest';
import {
  createPreprocessing,
  Explainer,
  firstFilters,
  lastImageLayer,
  layerGraphOf,
  modelConfig,
  predictImages,
  residualStream,
  syntheticDataset,
  worstMistakes,
  type ExplainerOptions,
} from '../src/index.ts';
import { perturbedParameters } from './support/random.ts';

const data = syntheticDataset({ count: 3, seed: 2, split: 'test', size: 8 });
const model = modelConfig('resnet8v1', { imageSize: [8, 8] });
const preprocessing = createPreprocessing(data);
const parameters = perturbedParameters(model);
for (const [name, values] of parameters)
  if (name.endsWith('variance')) values.forEach((v, i) => (values[i] = Math.abs(v)));
const image = data.images.subarray(0, 8 * 8 * 3);

const explainer = (changes: Partial<ExplainerOptions> = {}) =>
  Explainer.compile({ backend: createReferenceBackend(), model, parameters, preprocessing, ...changes });

describe('the layers to show', () => {
  it('are what the stem and every block hand on', () => {
    const blocks = ['stage1/block1/relu', 'stage2/block1/relu', 'stage3/block1/relu'];
    expect(residualStream(model)).toEqual(['stem/relu', ...blocks]);
    expect(lastImageLayer(model)).toBe('stage3/block1/relu');
    const v2 = modelConfig('resnet11v2');
    expect(residualStream(v2)).toEqual([
      'stem/relu',
      ...blocks.map((name) => name.replace('relu', 'add')),
      'head/relu',
    ]);
    expect(lastImageLayer(v2)).toBe('head/relu');
    expect(residualStream(modelConfig('plain8'))).toHaveLength(4);
  });

  it('are the additions of a graph of layers', () => {
    const graph = layerGraphOf(model);
    const additions = graph.layers.filter(({ kind }) => kind === 'add').map(({ name }) => name);
    expect(additions).toHaveLength(3);
    expect(residualStream(graph)).toEqual(additions);
  });
});

describe('Explainer', () => {
  it('has the probabilities of a prediction, and explains the likeliest class', async () => {
    using own = await explainer();
    const { probabilities, cam } = await own.explain(image);
    const [ranked = []] = await predictImages({
      backend: createReferenceBackend(),
      model,
      parameters,
      preprocessing,
      classNames: data.classNames,
      images: image,
    });
    expect(cam.classIndex).toBe(ranked[0]?.classIndex);
    for (const { classIndex, probability } of ranked) expect(probabilities[classIndex]).toBeCloseTo(probability, 6);
  });

  it('sees, before a pooling and a dense layer, the weighted sum of the maps', async () => {
    using own = await explainer();
    const kernel = parameters.get('head/dense/kernel') ?? new Float32Array();
    for (const classIndex of [0, 7]) {
      const { maps, cam, logits } = await own.explain(image, classIndex);
      const { height, width, channels, data: map } = maps.at(-1) ?? { ...cam, channels: 0 };
      expect([height, width, channels]).toEqual([2, 2, 64]);
      const score = Array.from({ length: 4 }, (_, position) =>
        Array.from(
          { length: channels },
          (__, k) => (kernel[k * 10 + classIndex] ?? 0) * (map[position * channels + k] ?? 0),
        ).reduce((sum, value) => sum + value / 4, 0),
      );
      score.forEach((value, position) => expect(cam.data[position]).toBeCloseTo(Math.max(0, value), 5));
      const bias = parameters.get('head/dense/bias')?.[classIndex] ?? 0;
      expect(score.reduce((sum, value) => sum + value, bias)).toBeCloseTo(logits[classIndex] ?? 0, 5);
    }
  });

  it('follows new parameters', async () => {
    using own = await explainer({ layers: ['stem/conv'] });
    const before = await own.explain(image, 1);
    own.writeParameters(new Map(parameters).set('stem/conv/filter', new Float32Array(432)));
    const { maps } = await own.explain(image, 1);
    const biases = parameters.get('stem/conv/bias') ?? new Float32Array();
    expect(maps[0]?.data).toEqual(Float32Array.from({ length: 8 * 8 * 16 }, (_, i) => biases[i % 16] ?? 0));
    expect(before.maps[0]?.data).not.toEqual(maps[0]?.data);
  });

  it('refuses layers, images and classes that are not the model’s', async () => {
    await expect(explainer({ layers: ['stage9'] })).rejects.toThrow(
      "resnet8v1 has no layer 'stage9': its layers are stem/conv, stem/bn,",
    );
    await expect(explainer({ preprocessing: null })).rejects.toThrow('prepared is not said');
    using own = await explainer();
    await expect(own.explain(image.subarray(1), 10)).rejects.toThrow(
      'cannot explain resnet8v1: the image has 191 bytes, and one of its images has 192; the class is 10, but must be a whole number from 0 to 9.',
    );
  });
});

describe('firstFilters', () => {
  it('takes the filters of the stem apart', () => {
    const { name, filters, ...size } = firstFilters(model, parameters);
    expect({ name, ...size }).toEqual({ name: 'stem/conv/filter', height: 3, width: 3, channels: 3 });
    expect(filters).toHaveLength(16);
    const whole = parameters.get('stem/conv/filter');
    expect(filters[5]?.[26]).toBe(whole?.[26 * 16 + 5]);
  });
});

describe('worstMistakes', () => {
  it('lists wrong answers only, the highest loss first', () => {
    const evaluation = { predictions: Uint8Array.of(1, 0, 2, 0), losses: Float32Array.of(0.5, 2, 9, 3) };
    expect(worstMistakes(evaluation, Uint8Array.of(0, 1, 2, 1), 2)).toEqual([
      { index: 3, label: 1, prediction: 0, loss: 3 },
      { index: 1, label: 1, prediction: 0, loss: 2 },
    ]);
  });
});
