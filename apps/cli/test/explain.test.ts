import { createReferenceBackend } from '@skiplane/core/reference';
import type { Backend } from '@skiplane/core';
import { createGpuBackend } from '@skiplane/kernels-gpu';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import {
  batchBuffers,
  BatchPreparer,
  createPreprocessing,
  Explainer,
  initialParameters,
  LayerProbe,
  syntheticDataset,
  type Explanation,
  type LayerGraph,
  type LayerMeasure,
} from '@skiplane/resnet';
import { describe, expect, test } from 'vitest';
import { missingGpu } from './gpu.ts';

const data = syntheticDataset({ count: 4, seed: 3, split: 'train', size: 4 });
const padding = { top: 1, bottom: 1, left: 1, right: 1 };
const conv = { filters: 4, kernelSize: [3, 3], strides: [1, 1], padding, bias: false } as const;
/** One residual block: a software adapter takes a second for every shape it compiles. */
const model: LayerGraph = {
  name: 'block',
  imageSize: [4, 4],
  channels: 3,
  classes: 10,
  layers: [
    { name: 'stem', kind: 'conv2d', inputs: ['input'], attrs: conv },
    { name: 'conv', kind: 'conv2d', inputs: ['stem'], attrs: conv },
    { name: 'bn', kind: 'batchNorm', inputs: ['conv'], attrs: { epsilon: 1e-3 } },
    { name: 'add', kind: 'add', inputs: ['stem', 'bn'], attrs: {} },
    { name: 'relu', kind: 'relu', inputs: ['add'], attrs: {} },
    { name: 'pool', kind: 'globalAveragePool', inputs: ['relu'], attrs: {} },
    { name: 'flat', kind: 'flatten', inputs: ['pool'], attrs: {} },
    { name: 'dense', kind: 'dense', inputs: ['flat'], attrs: { units: 10, bias: true } },
  ],
  output: 'dense',
};
const preprocessing = createPreprocessing(data);
const parameters = initialParameters(model, 1);
/** Of the largest value. */
const tolerance = 1e-5;

interface Looked {
  readonly explanation: Explanation;
  readonly measures: readonly LayerMeasure[];
}

/** Looks into the net in all ways; Grad-CAM at an inner layer, so that the backward pass goes through convolutions. */
async function lookInto(backend: Backend): Promise<Looked> {
  const explainer = await Explainer.compile({ backend, model, parameters, preprocessing, camLayer: 'stem' });
  const explanation = await explainer.explain(data.images.subarray(0, 4 * 4 * 3), 3);
  explainer.dispose();
  const probe = await LayerProbe.compile(backend, model, { batch: data.count });
  const buffers = batchBuffers(data, data.count);
  new BatchPreparer(data, preprocessing).prepare(null, 0, data.count, buffers, null);
  const measures = await probe.measure(parameters, buffers);
  probe.dispose();
  return { explanation, measures };
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const largest = Math.max(...Array.from(b, Math.abs));
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? 0)))) / largest;
}

const noGpu = await missingGpu();
const backends = [
  { name: 'wasm', open: () => createWasmBackend({ threads: 2 }), missing: undefined },
  { name: 'gpu', open: () => createGpuBackend({ software: 'swiftshader' }), missing: noGpu },
] as const;

describe('explanations agree with the oracle', () => {
  const oracle = lookInto(createReferenceBackend());
  test.for(backends)('$name', { timeout: 180_000 }, async ({ open, missing }, context) => {
    context.skip(missing !== undefined, missing);
    const backend = await open();
    const { explanation, measures } = await lookInto(backend);
    backend.dispose();
    const expected = await oracle;
    expect(distance(explanation.logits, expected.explanation.logits)).toBeLessThan(tolerance);
    expect(distance(explanation.cam.data, expected.explanation.cam.data)).toBeLessThan(tolerance);
    expect(explanation.maps).toHaveLength(1);
    const [map, theirMap] = [explanation, expected.explanation].map(({ maps: [first] }) => first?.data ?? []);
    expect(distance(map ?? [], theirMap ?? [])).toBeLessThan(tolerance);
    expect(measures.map(({ layer }) => layer)).toEqual(['conv']);
    for (const measured of ['gradientNorm', 'response'] as const) {
      const [own, theirs] = [measures, expected.measures].map((layers) => layers.map((layer) => layer[measured]));
      expect(distance(own ?? [], theirs ?? [])).toBeLessThan(tolerance);
    }
  });
});
