import {
  evaluate,
  gradients,
  GraphBuilder,
  inputValues,
  type Backend,
  type Graph,
  type TypedArray,
} from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import {
  batchBuffers,
  BatchPreparer,
  createPreprocessing,
  initialParameters,
  lossGraph,
  modelConfig,
  type ModelConfig,
  syntheticDataset,
} from '@skiplane/resnet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const batch = 2;
/**
 * Images are small: where a relu's operand is as near to zero as rounding errors reach, its gradient jumps, and among
 * the million operands of full-sized images there are always some.
 */
const size = 8;
const config = (name: string): ModelConfig => modelConfig(name, { imageSize: [size, size] });
/** Largest relative distance, in the L2 norm, of a parameter's gradient from the oracle's; Winograd rounds more. */
const bounds = { direct: 1e-5, auto: 3e-5 } as const;

/** The loss of a net with one output `gradient/<parameter>` for each trainable parameter. */
function gradientGraph(name: string): { graph: Graph; outputs: readonly string[] } {
  const { graph, loss, parameters } = lossGraph(config(name), { batch });
  const trainable = new Set(parameters.filter((spec) => spec.trainable).map((spec) => spec.name));
  const wrt = inputValues(graph).filter((value) => trainable.has(value.name ?? ''));
  const extended = gradients(
    graph,
    loss,
    wrt.map(({ id }) => id),
  );
  const build = new GraphBuilder(name, extended.graph);
  const outputs = wrt.map((value, index) => {
    // A copy: one gradient may be two parameters', and a value has one name.
    const copy = build.op('affine', [extended.gradients[index] ?? -1], { scale: 1, offset: 0 });
    build.output(`gradient/${value.name}`, copy);
    return `gradient/${value.name}`;
  });
  return { graph: build.build(), outputs };
}

function inputs(name: string): Record<string, TypedArray> {
  const data = syntheticDataset({ count: batch, seed: 3, split: 'train', size });
  const buffers = batchBuffers(data, batch);
  new BatchPreparer(data, createPreprocessing(data)).prepare(null, 0, batch, buffers, null);
  return { ...Object.fromEntries(initialParameters(config(name), 1)), x: buffers.images, labels: buffers.labels };
}

function norm(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function relativeDistance(actual: TypedArray, expected: TypedArray): number {
  const oracle = Float64Array.from(expected);
  const distance = norm(oracle.map((value, i) => value - (actual[i] as number)));
  return distance === 0 ? 0 : distance / norm(oracle);
}

describe.each(['resnet8v1', 'resnet20v1', 'resnet11v2', 'resnet29v2'])('%s: every gradient of a step', (name) => {
  const { graph, outputs } = gradientGraph(name);
  let expected: Record<string, TypedArray>;
  beforeAll(async () => {
    expected = await evaluate(createReferenceBackend(), graph, inputs(name), { fuse: true });
  }, 120_000);

  const opened: Backend[] = [];
  afterAll(() => opened.forEach((backend) => backend.dispose()));

  test.each([
    ['simd', 'direct'],
    ['simd', 'auto'],
    ['relaxed-simd', 'direct'],
    ['relaxed-simd', 'auto'],
  ] as const)('on wasm %s, conv %s, is that of the oracle', async (binary, conv) => {
    const backend = await createWasmBackend({ binary, conv, threads: 2 });
    opened.push(backend);
    const actual = await evaluate(backend, graph, inputs(name));
    const distances = outputs.map((output) =>
      relativeDistance(actual[output] as TypedArray, expected[output] as TypedArray),
    );
    const largest = Math.max(...distances);
    console.log(
      `${name}, ${binary}, ${conv}: ${outputs.length} gradients, largest relative distance ${largest.toExponential(1)} (${outputs[distances.indexOf(largest)]})`,
    );
    expect(largest).toBeLessThanOrEqual(bounds[conv]);
  });
});
