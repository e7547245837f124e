import { evaluate, type TypedArray } from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { describe, expect, test } from 'vitest';
import {
  inferenceGraph,
  initialParameters,
  layerGraphOf,
  modelConfig,
  type LayerGraph,
  type LayerNode,
} from '../src/index.ts';
import { inputName } from '../src/layer-graph/layer-graph.ts';
import { signed } from './support/random.ts';

/** Logits of a graph of layers that end in an image of one pixel less, flattened. */
async function logitsOf(layers: readonly LayerNode[], x: readonly number[], classes: number): Promise<number[]> {
  const output = layers.at(-1)?.name ?? '';
  const model: LayerGraph = { name: 'layers', imageSize: [2, 2], channels: 2, classes, layers, output };
  const { logits } = await evaluate(createReferenceBackend(), inferenceGraph(model, { batch: 1 }).graph, {
    x: Float32Array.from(x),
  });
  return [...(logits ?? [])];
}

const flatten = (input: string): LayerNode => ({ name: 'flatten', kind: 'flatten', inputs: [input], attrs: {} });
const pixels = [1, 2, 3, 4, 5, 6, 7, 8];

describe('layers that move images and channels', () => {
  test('pad puts zeros around an image', async () => {
    const padding = { top: 1, bottom: 0, left: 0, right: 2 };
    const pad: LayerNode = { name: 'pad', kind: 'pad', inputs: [inputName], attrs: { padding } };
    const [none, end] = [[0, 0], [0, 0, 0, 0]]; // prettier-ignore
    expect(await logitsOf([pad, flatten('pad')], pixels, 24)).toEqual([
      ...none,
      ...none,
      ...end,
      1,
      2,
      3,
      4,
      ...end,
      5,
      6,
      7,
      8,
      ...end, // prettier-ignore
    ]);
  });

  test('concat puts channels one behind the other', async () => {
    const half: LayerNode = { name: 'sum', kind: 'add', inputs: [inputName, inputName], attrs: {} };
    const concat: LayerNode = { name: 'concat', kind: 'concat', inputs: [inputName, 'sum'], attrs: {} };
    expect(await logitsOf([half, concat, flatten('concat')], pixels, 16)).toEqual(
      [0, 2, 4, 6].flatMap((at) => [1, 2].flatMap((factor) => [factor * (at + 1), factor * (at + 2)])),
    );
  });
});

describe('a network of a family as a graph of layers', () => {
  test.each(['he8', 'he11v2'])('computes the same: %s', async (name) => {
    const config = modelConfig(name, { imageSize: [8, 8] });
    const graph = layerGraphOf(config);
    expect(graph.layers.filter(({ kind }) => kind === 'padChannels')).toHaveLength(name === 'he8' ? 2 : 0);
    expect(graph.layers.filter(({ kind }) => kind === 'subsample')).toHaveLength(name === 'he8' ? 2 : 0);
    const inputs: Record<string, TypedArray> = Object.fromEntries(initialParameters(config, 3));
    inputs['x'] = Float32Array.from(signed('x', 8 * 8 * 3));
    const run = async (model: typeof graph | typeof config) =>
      (await evaluate(createReferenceBackend(), inferenceGraph(model, { batch: 1 }).graph, inputs))['logits'];
    expect(await run(graph)).toEqual(await run(config));
  });
});
