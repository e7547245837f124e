import {
  evaluate,
  gradients,
  GraphBuilder,
  inputValues,
  UnsupportedError,
  type Backend,
  type Graph,
  type TypedArray,
} from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { createGpuBackend } from '@skiplane/kernels-gpu';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import {
  batchBuffers,
  BatchPreparer,
  createPreprocessing,
  initialParameters,
  lossGraph,
  modelConfig,
  parameterSpecs,
  syntheticDataset,
  TrainingStep,
  TrainingTensors,
} from '@skiplane/resnet';
import { afterAll, describe, expect, test } from 'vitest';

/** LLVM takes seconds to compile some kernels. */
const patience = 600_000;
const batch = 2;
const size = 8;

/** On the adapter here that has f16; undefined where none does. */
async function open(): Promise<Backend | undefined> {
  try {
    return await createGpuBackend({ software: 'llvmpipe', precision: 'f16' });
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    console.log(`f16 left out, since ${error.message}`);
    return undefined;
  }
}
const half = await open();
afterAll(() => half?.dispose());

function needed(backend: Backend | undefined): Backend {
  if (backend === undefined) throw new Error('no backend');
  return backend;
}

const data = syntheticDataset({ count: batch, seed: 1, split: 'train', size });
const buffers = batchBuffers(data, batch);
new BatchPreparer(data, createPreprocessing(data)).prepare(null, 0, batch, buffers, null);

/** ‖actual − expected‖ / ‖expected‖, over the elements of several tensors. */
function distance(names: readonly string[], actual: Results, expected: Results): number {
  let [difference, whole] = [0, 0];
  for (const name of names) {
    expected[name]?.forEach((value: number, i: number) => {
      difference += ((actual[name]?.[i] ?? Number.NaN) - value) ** 2;
      whole += value ** 2;
    });
  }
  return Math.sqrt(difference / whole);
}

type Results = Readonly<Record<string, TypedArray>>;

/** Of the loss in {@link outputsOf}: what training begins with. */
const lossScale = 2 ** 15;

/** Logits, loss and the gradients of all parameters, by name. */
function outputsOf(name: string): { readonly graph: Graph; readonly inputs: Results; readonly parameters: string[] } {
  const model = modelConfig(name, { imageSize: [size, size] });
  const forward = lossGraph(model, { batch });
  const trainable = new Set(forward.parameters.filter((spec) => spec.trainable).map((spec) => spec.name));
  const wrt = inputValues(forward.graph).filter((value) => trainable.has(value.name ?? ''));
  const scaled = new GraphBuilder(forward.graph.name, forward.graph);
  const loss = scaled.op('affine', [forward.loss], { scale: lossScale, offset: 0 });
  const backward = gradients(
    scaled.build(),
    loss,
    wrt.map(({ id }) => id),
  );
  const build = new GraphBuilder(forward.graph.name, backward.graph);
  const copy = (to: string, id: number, scale = 1) => build.output(to, build.op('affine', [id], { scale, offset: 0 }));
  copy('logits', forward.logits);
  copy('loss', forward.loss);
  wrt.forEach((value, i) => copy(`d/${value.name}`, backward.gradients[i] ?? -1, 1 / lossScale));
  const inputs = { ...Object.fromEntries(initialParameters(model, 5)), x: buffers.images, labels: buffers.labels };
  return { graph: build.build(), inputs, parameters: wrt.map((value) => `d/${value.name}`) };
}

/** Moments: zeros, since none is given. */
const zeros: ReadonlyMap<string, Float32Array> = new Map();

async function openStep(backend: Backend, scale?: number) {
  const model = modelConfig('resnet8v1', { imageSize: [size, size] });
  const specs = parameterSpecs(model);
  const parameters = initialParameters(model, 5);
  const state =
    scale === undefined
      ? null
      : {
          optimizer: { m: zeros, v: zeros, lossScale: { scale, goodSteps: 7 } },
          metrics: { loss: 0, correct: 0 },
        };
  const tensors = new TrainingTensors(backend, model.name, specs, parameters, state, backend === half);
  return { tensors, step: await TrainingStep.compile(backend, model, tensors, { batch }) };
}

describe.runIf(half)('activations in f16', () => {
  test.each(['resnet8v1', 'resnet11v2'])(
    'leave %s near the float64 reference',
    async (name) => {
      const { graph, inputs, parameters } = outputsOf(name);
      const expected = await evaluate(createReferenceBackend(), graph, inputs);
      const actual = await evaluate(needed(half), graph, inputs);
      const errors = [['logits'], ['loss'], parameters].map((names) => distance(names, actual, expected));
      console.log(`${name}: logits, loss, gradients ${errors.map((error) => error.toExponential(1)).join(', ')}`);
      expect(errors.filter((error) => !(error < 1e-2))).toEqual([]);
    },
    patience,
  );

  test(
    'detect an overflow: the scale is halved, the count begins anew, the weights stay',
    async () => {
      const { step, tensors } = await openStep(needed(half), 2 ** 40);
      const before = await tensors.readParameters();
      await step.run(buffers, 1e-3, 0);
      expect((await tensors.readOptimizer()).lossScale).toEqual({ scale: 2 ** 39, goodSteps: 0 });
      const after = await tensors.readParameters();
      for (const { name, trainable } of parameterSpecs(modelConfig('resnet8v1', { imageSize: [size, size] }))) {
        expect(after.get(name)?.every(Number.isFinite)).toBe(true);
        if (trainable) expect(after.get(name)).toEqual(before.get(name));
      }
      step.dispose();
      tensors.dispose();
    },
    patience,
  );

  test(
    'train as f32 does',
    async () => {
      const losses: number[][] = [];
      using single = await createWasmBackend({ threads: 1 });
      for (const backend of [single, needed(half)]) {
        const { step, tensors } = await openStep(backend);
        const ofBackend: number[] = [];
        for (let i = 0; i < 10; i++) {
          tensors.zeroMetrics();
          await step.run(buffers, 1e-3, i);
          ofBackend.push((await tensors.readMetrics()).loss / batch);
        }
        losses.push(ofBackend);
        if (backend === half)
          expect((await tensors.readOptimizer()).lossScale).toEqual({ scale: 2 ** 15, goodSteps: 10 });
        step.dispose();
        tensors.dispose();
      }
      const [exact = [], rounded = []] = losses;
      const differences = rounded.map((loss, i) => Math.abs(loss / (exact[i] ?? 0) - 1));
      console.log(
        `losses ${exact.map((loss) => loss.toFixed(3)).join(', ')}; within ${Math.max(...differences).toExponential(1)}`,
      );
      expect(exact.at(-1)).toBeLessThan((exact[0] ?? 0) / 1.5);
      expect(differences.filter((difference) => !(difference < 0.05))).toEqual([]);
    },
    patience,
  );
});
