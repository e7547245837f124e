import { FormatError, ValueError } from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { describe, expect, test } from 'vitest';
import {
  createPreprocessing,
  encodeModel,
  evaluateModel,
  initialParameters,
  isQuantized,
  layerGraphOf,
  loadModel,
  modelConfig,
  quantizeModel,
  summarize,
  syntheticDataset,
} from '../src/index.ts';
import { fuseLayers, isConvolution } from '../src/quantize/fuse-layers.ts';
import { Histogram } from '../src/quantize/histogram.ts';
import { quantizeFilter } from '../src/quantize/quantize-filter.ts';
import { foldLayers } from '../src/layer-graph/fold-layers.ts';

const backend = createReferenceBackend();
const data = syntheticDataset({ count: 12, seed: 1, split: 'train', size: 8 });
const preprocessing = createPreprocessing(data);
const model = modelConfig('he8', { imageSize: [8, 8] });
const original = { model, parameters: initialParameters(model, 1) };
const quantized = await quantizeModel(original, { backend, preprocessing, data });

const evaluation = (weighted: typeof original | typeof quantized) =>
  evaluateModel({ ...weighted, backend, preprocessing, data, l2: { filters: 0, dense: 0 } });

describe('a quantized network', () => {
  test('has each convolution, with what follows it, in bytes, and shortcuts of option A beside them', () => {
    const kinds = quantized.model.layers.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'quantizedConv2d')).toHaveLength(7);
    expect(kinds).not.toContain('relu');
    expect(kinds).not.toContain('add');
    expect(kinds).not.toContain('batchNorm');
    expect(summarize(quantized.model).multiplyAdds).toBe(summarize(model).multiplyAdds);
    expect(isQuantized(quantized.model)).toBe(true);
    expect(isQuantized(model)).toBe(false);
  });

  test('gives nearly the same losses', async () => {
    const [before, after] = [await evaluation(original), await evaluation(quantized)];
    const distance = before.losses.map((loss, i) => Math.abs(loss - (after.losses[i] as number)) / loss);
    expect(Math.max(...distance)).toBeLessThan(0.1);
    expect(Math.max(...distance)).toBeGreaterThan(0);
  });

  test('comes back out of a checkpoint, in which filters are bytes', async () => {
    const saved = { ...quantized, preprocessing, classNames: data.classNames };
    const { files } = await encodeModel(saved, 'skiplane-checkpoint', 'bytes.safetensors');
    const bytes = files.get('bytes.safetensors') as Uint8Array;
    const loaded = await loadModel(bytes);
    expect(loaded.model).toEqual(quantized.model);
    expect(loaded.parameters).toEqual(quantized.parameters);
    expect(bytes.length).toBeLessThan(0.6 * 4 * summarize(model).parameters.total);
    expect((await evaluation({ ...quantized, ...loaded } as typeof quantized)).crossEntropy).toBe(
      (await evaluation(quantized)).crossEntropy,
    );
    for (const format of ['onnx', 'keras-hdf5'] as const)
      await expect(encodeModel(saved, format, 'x')).rejects.toThrow(FormatError);
  });

  test('is not quantized again', async () => {
    await expect(quantizeModel(quantized, { backend, preprocessing, data })).rejects.toThrow(ValueError);
  });
});

test('of two convolutions the later one takes the addition', () => {
  const v1 = modelConfig('resnet8v1');
  const { model: folded } = foldLayers({ model: layerGraphOf(v1), parameters: initialParameters(v1, 1) });
  const fused = fuseLayers(folded);
  const convolutions = fused.filter(isConvolution);
  expect(convolutions).toHaveLength(9);
  const projected = convolutions.filter(({ residual }) => convolutions.some(({ name }) => name === residual));
  expect(projected.length).toBeGreaterThanOrEqual(2);
  expect(fused.filter((layer) => !isConvolution(layer)).map((layer) => 'kind' in layer && layer.kind)).toEqual([
    'averagePool',
    'flatten',
    'dense',
  ]);
});

test('a filter has a scale for each output channel, and a channel of zeros', () => {
  const { values, scales } = quantizeFilter(Float32Array.of(1.27, 0, -0.5, 0, 0.004, 0), 2);
  expect([...values]).toEqual([127, 0, -50, 0, 0, 0]);
  expect(scales[0]).toBeCloseTo(0.01, 7);
  expect(scales[1]).toBe(1);
});

test('a histogram clips what is rare and far away', () => {
  const histogram = new Histogram();
  histogram.add(Float32Array.from({ length: 400_000 }, (_, i) => (i % 1000) / 1000));
  expect(histogram.leastSquaresClip()).toBeCloseTo(histogram.largest, 5);
  histogram.add(Float32Array.of(2));
  expect(histogram.largest).toBe(2);
  expect(histogram.leastSquaresClip()).toBeLessThan(1.2);
});
