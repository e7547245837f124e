import { UnsupportedError, type Backend, type OpReport, type TypedArray } from '@skiplane/core';
import { createGpuBackend } from '@skiplane/kernels-gpu';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import {
  batchBuffers,
  BatchPreparer,
  createPreprocessing,
  initialParameters,
  parameterSpecs,
  syntheticDataset,
  TrainingStep,
  TrainingTensors,
  type LayerGraph,
} from '@skiplane/resnet';
import { afterAll, describe, expect, test } from 'vitest';
import { distance, exactly, flipsOf, lossScale, masksOf, network, squares, u, type Net } from './f16/net.ts';

/** Less than a second for the steps; LLVM takes seconds to compile a kernel that waits at barriers, and there are some ten. */
const patience = 600_000;
const batch = 4;
const size = 8;

/** On the adapter here that has f16; undefined where none does. */
async function open(): Promise<Backend | undefined> {
  try {
    return await createGpuBackend({ software: 'llvmpipe', precision: 'f16', conv: 'direct' });
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    console.log(`f16 left out, since ${error.message}`);
    return undefined;
  }
}
const half = await open();
afterAll(() => half?.dispose());

function needed(): Backend {
  if (half === undefined) throw new Error('no backend');
  return half;
}

const window = { kernelSize: [3, 3], strides: [1, 1], padding: { top: 1, bottom: 1, left: 1, right: 1 } } as const;
const convolution = { ...window, filters: 3, bias: false };
/** One residual block. As wide as the images, so that its convolutions share their kernels. */
const model: LayerGraph = {
  name: 'one block',
  imageSize: [size, size],
  channels: 3,
  classes: 10,
  layers: [
    { name: 'conv1', kind: 'conv2d', inputs: ['input'], attrs: convolution },
    { name: 'bn1', kind: 'batchNorm', inputs: ['conv1'], attrs: { epsilon: 1e-3 } },
    { name: 'relu1', kind: 'relu', inputs: ['bn1'], attrs: {} },
    { name: 'conv2', kind: 'conv2d', inputs: ['relu1'], attrs: convolution },
    { name: 'bn2', kind: 'batchNorm', inputs: ['conv2'], attrs: { epsilon: 1e-3 } },
    { name: 'add', kind: 'add', inputs: ['bn2', 'relu1'], attrs: {} },
    { name: 'relu2', kind: 'relu', inputs: ['add'], attrs: {} },
    { name: 'pool', kind: 'globalAveragePool', inputs: ['relu2'], attrs: {} },
    { name: 'flatten', kind: 'flatten', inputs: ['pool'], attrs: {} },
    { name: 'dense', kind: 'dense', inputs: ['flatten'], attrs: { units: 10, bias: true } },
  ],
  output: 'dense',
};
const specs = parameterSpecs(model);
const parameters = initialParameters(model, 5);
const batches = 4;
const data = syntheticDataset({ count: batches * batch, seed: 1, split: 'train', size });
const preparer = new BatchPreparer(data, createPreprocessing(data));
const prepared = Array.from({ length: batches }, (_, i) => {
  const buffers = batchBuffers(data, batch);
  preparer.prepare(null, i * batch, batch, buffers, null);
  return buffers;
});
const [buffers = batchBuffers(data, batch)] = prepared;

/** The results of a graph on a backend, and how its ops were computed. */
async function run(backend: Backend, { graph, inputs }: Net) {
  const tensors = new Map(
    graph.values.flatMap((value) =>
      value.name === undefined ? [] : [[value.name, backend.tensor(value, inputs[value.name])] as const],
    ),
  );
  using program = await backend.compile(graph, tensors);
  await program.run();
  const results: Record<string, TypedArray> = {};
  for (const [name, tensor] of tensors) {
    results[name] = await tensor.read();
    tensor.dispose();
  }
  return { results, ops: program.report.ops };
}

/** Kinds whose results are no activations, and are not rounded. */
const keepsF32 = new Set(['matMul', 'conv2dBackpropFilter', 'biasAddGrad', 'affine']);

/** How many results in a row are rounded to f16, at most. */
const roundings = (ops: readonly OpReport[]): number =>
  ops.filter(({ kind, kernels }) => !keepsF32.has(kind) && kernels.some((kernel) => kernel.endsWith('.f16'))).length;

const shown = (values: readonly number[]): string => values.map((value) => value.toExponential(1)).join(', ');

describe.runIf(half)('activations in f16', () => {
  // N results in a row, each rounded by at most u of itself, independently: √N·u in norm.
  test(
    'are as far from float64 as their roundings explain: logits, loss, gradients behind the same masks',
    async () => {
      const net = network(model, parameters, batch, buffers);
      const { results: actual, ops } = await run(needed(), net);
      const exact = await exactly(net);
      const masked = await exactly(net, { masks: masksOf(net, actual) });

      const forward = roundings(
        ops.slice(
          0,
          ops.findIndex(({ kind }) => kind === 'softmaxCrossEntropy'),
        ),
      );
      const all = roundings(ops);
      const logits = distance(['logits'], actual, exact);
      const loss = distance(['loss'], actual, exact);
      const behindMasks = distance(net.gradients, actual, masked);
      const gradient = distance(net.gradients, actual, exact);

      // Where x is within its error ε of zero, relu(x) passes a gradient that it should stop, or stops one that it should pass:
      // in ε/π of the elements, if x and its error are normal. What remains is no rounding error, but another derivative.
      const epsilon = Math.sqrt(forward) * u;
      const { flips, elements } = flipsOf(net, actual, exact);
      // Half of the elements pass; each flip is one of them whole.
      const flipped = Math.sqrt(net.masks.size * 2 * (epsilon / Math.PI));
      // |∂loss/∂logits| ≤ √2 for each image.
      const logitsNorm = Math.sqrt(squares(exact['logits'] ?? []) / batch);
      const lossBound = (Math.SQRT2 * epsilon * logitsNorm) / (exact['loss']?.[0] ?? Number.NaN);
      console.log(
        `roundings ${forward} and ${all}; logits, loss, gradients behind the same masks, gradients: ${shown([logits, loss, behindMasks, gradient])}, ` +
          `bounds ${shown([epsilon, lossBound, Math.sqrt(all) * u, flipped])}; ${flips} of ${elements} elements flipped`,
      );
      expect(logits).toBeLessThan(epsilon);
      expect(loss).toBeLessThan(lossBound);
      expect(behindMasks).toBeLessThan(Math.sqrt(all) * u);
      // As many as expected, and three standard deviations of a count.
      const expectedFlips = (elements * epsilon) / Math.PI;
      expect(flips).toBeLessThan(expectedFlips + 3 * Math.sqrt(expectedFlips));
      expect(gradient).toBeLessThan(flipped);
      expect(logits).toBeGreaterThan(u / 10);
    },
    patience,
  );

  test(
    'train as f32 does, and recover from an overflow',
    async () => {
      using single = await createWasmBackend({ threads: 1 });
      const exact = await openRun(single, false);
      const rounded = await openRun(needed(), true);
      const steps = 24;
      const [expected, actual] = [await exact.train(0, steps), await rounded.train(0, steps)];
      expect(await rounded.tensors.readLossScale()).toEqual({ scale: lossScale, goodSteps: steps });
      const differences = epochMeans(actual).map((loss, i) => Math.abs(loss / (epochMeans(expected)[i] ?? 0) - 1));
      console.log(
        `losses in f32 ${epochMeans(expected)
          .map((loss) => loss.toFixed(3))
          .join(', ')}; f16 within ${shown(differences)}`,
      );
      expect(epochMeans(expected).at(-1)).toBeLessThan((epochMeans(expected)[0] ?? 0) / 1.2);
      // Errors of single steps are within 0.15 %, and add up at random.
      expect(differences.filter((difference) => !(difference < 0.005))).toEqual([]);

      // Gradients of 2^40 times their size do not fit.
      rounded.tensors.byName.get('optimizer/lossScale')?.write(Float32Array.of(2 ** 40));
      const before = await rounded.read();
      await rounded.train(steps, 1);
      expect(await rounded.tensors.readLossScale()).toEqual({ scale: 2 ** 39, goodSteps: 0 });
      const after = await rounded.read();
      expect(after.weights).toEqual(before.weights);
      expect(after.optimizer).toEqual(before.optimizer);
      // The forward pass was as ever, and so were the moving statistics.
      expect(after.statistics).not.toEqual(before.statistics);
      for (const [, values] of after.statistics) expect(values?.every(Number.isFinite)).toBe(true);

      const further = await rounded.train(steps + 1, 40);
      const { scale = 0, goodSteps = 0 } = (await rounded.tensors.readLossScale()) ?? {};
      console.log(
        `scale ${scale} after ${goodSteps} good steps; losses ${further.map((l) => l.toFixed(3)).join(', ')}`,
      );
      expect(goodSteps).toBeGreaterThan(batches);
      expect(scale).toBeLessThan(2 ** 39);
      expect(epochMeans(further).at(-1)).toBeLessThan(epochMeans(actual).at(-1) ?? 0);
      for (const opened of [exact, rounded]) opened.dispose();
    },
    patience,
  );
});

/** Of the losses of steps, the mean of each pass over the data. */
const epochMeans = (losses: readonly number[]): readonly number[] =>
  Array.from(
    { length: losses.length / batches },
    (_, i) => losses.slice(i * batches, (i + 1) * batches).reduce((sum, loss) => sum + loss, 0) / batches,
  );

async function openRun(backend: Backend, lossScaling: boolean) {
  const tensors = new TrainingTensors(backend, model.name, specs, parameters, null, { lossScaling });
  const step = await TrainingStep.compile(backend, model, tensors, { batch });
  return {
    tensors,
    /** The losses of steps. */
    async train(from: number, count: number): Promise<readonly number[]> {
      const losses: number[] = [];
      for (let i = from; i < from + count; i++) {
        tensors.zeroMetrics();
        await step.run(prepared[i % batches] ?? buffers, 1e-2, i);
        losses.push((await tensors.readMetrics()).loss / batch);
      }
      return losses;
    },
    async read() {
      const all = await tensors.readParameters();
      const of = (trainable: boolean) =>
        specs.filter((spec) => spec.trainable === trainable).map(({ name }) => [name, all.get(name)] as const);
      return { weights: of(true), statistics: of(false), optimizer: await tensors.readOptimizer() };
    },
    dispose() {
      step.dispose();
      tensors.dispose();
    },
  };
}
