import {
  gradients,
  GraphBuilder,
  inputValues,
  opDef,
  UnsupportedError,
  valueOf,
  type Backend,
  type Graph,
  type OpReport,
  type TypedArray,
  type ValueId,
} from '@skiplane/core';
import { runOp } from '@skiplane/core/reference';
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

/** Seconds once the driver has compiled the kernels and kept them; LLVM takes minutes for that. */
const patience = 1_200_000;
const batch = 4;
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

function needed(): Backend {
  if (half === undefined) throw new Error('no backend');
  return half;
}

const model = modelConfig('resnet8v1', { imageSize: [size, size] });
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

type Numbers = ArrayLike<number>;
type Results = Readonly<Record<string, Numbers>>;

const isZero = (value: number | undefined): boolean => value === 0;

const squares = (values: Numbers): number => Array.from(values).reduce((sum, value) => sum + value ** 2, 0);

/** ‖actual − expected‖ / ‖expected‖, over the elements of several results. */
function distance(names: readonly string[], actual: Results, expected: Results): number {
  let [difference, whole] = [0, 0];
  for (const name of names) {
    const wanted = expected[name] ?? [];
    difference += squares(Array.from(wanted, (value, i) => (actual[name]?.[i] ?? Number.NaN) - value));
    whole += squares(wanted);
  }
  return Math.sqrt(difference / whole);
}

/** What training begins with. */
const lossScale = 2 ** 15;

interface Net {
  readonly graph: Graph;
  readonly inputs: Readonly<Record<string, TypedArray>>;
  /** The results that are gradients of parameters. */
  readonly gradients: readonly string[];
  /** The results of activations, whose zeros mask the gradients, by their copies' names. */
  readonly masks: ReadonlyMap<string, ValueId>;
}

/** Logits, loss, the gradients of all parameters by way of a scaled loss, and copies of what masks them. */
function network(): Net {
  const forward = lossGraph(model, { batch });
  const trainable = new Set(specs.filter((spec) => spec.trainable).map((spec) => spec.name));
  const wrt = inputValues(forward.graph).filter((value) => trainable.has(value.name ?? ''));
  const scaled = new GraphBuilder(forward.graph.name, forward.graph);
  const loss = scaled.op('affine', [forward.loss], { scale: lossScale, offset: 0 });
  const ids = wrt.map(({ id }) => id);
  const backward = gradients(scaled.build(), loss, ids);
  const build = new GraphBuilder(forward.graph.name, backward.graph);
  const copy = (to: string, id: number, scale = 1) => build.output(to, build.op('affine', [id], { scale, offset: 0 }));
  copy('logits', forward.logits);
  copy('loss', forward.loss);
  wrt.forEach((value, i) => copy(`d/${value.name}`, backward.gradients[i] ?? -1, 1 / lossScale));
  const masks = new Map<string, ValueId>();
  for (const { kind, inputs } of backward.graph.ops) {
    const y = inputs[1];
    if (kind === 'reluGrad' && y !== undefined) masks.set(`mask/${y}`, y);
  }
  for (const [name, id] of masks) copy(name, id);
  const inputs = { ...Object.fromEntries(parameters), x: buffers.images, labels: buffers.labels };
  return { graph: build.build(), inputs, gradients: wrt.map((value) => `d/${value.name}`), masks };
}

/** In float64. @param masks  results of activations, whose zeros mask the gradients in place of their own */
async function exactly({ graph, inputs }: Net, masks: ReadonlyMap<ValueId, Float64Array>): Promise<Results> {
  const values = new Map<ValueId, Float64Array>();
  for (const { id, name = '' } of inputValues(graph)) values.set(id, Float64Array.from(inputs[name] ?? []));
  for (const op of graph.ops) {
    const operands = op.inputs.map((id, i) => {
      const own = values.get(id) ?? new Float64Array();
      return op.kind === 'reluGrad' && opDef(op.kind).operands({})[i] === 'y' ? (masks.get(id) ?? own) : own;
    });
    const results = await runOp('values', { graph, op, operands });
    op.outputs.forEach((id, i) => values.set(id, Float64Array.from(results[i] ?? [])));
  }
  return Object.fromEntries(
    [...values].flatMap(([id, elements]) => {
      const { name } = valueOf(graph, id);
      return name === undefined ? [] : [[name, elements] as const];
    }),
  );
}

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

/** Unit roundoff of f16. */
const u = 2 ** -11;

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
      const net = network();
      const { results: actual, ops } = await run(needed(), net);
      const exact = await exactly(net, new Map());
      const masks = new Map([...net.masks].map(([name, id]) => [id, Float64Array.from(actual[name] ?? [])] as const));
      const masked = await exactly(net, masks);

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
      const count = (names: Iterable<string>, is: (name: string, i: number) => boolean) =>
        [...names].reduce((sum, name) => sum + Array.from(exact[name] ?? []).filter((_, i) => is(name, i)).length, 0);
      const elements = count(net.masks.keys(), () => true);
      const flips = count(net.masks.keys(), (name, i) => isZero(exact[name]?.[i]) !== isZero(actual[name]?.[i]));
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
      expect(flips / elements).toBeLessThan(epsilon / Math.PI);
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
      expect(expected.at(-1)).toBeLessThan((expected[0] ?? 0) / 1.5);
      expect(differences.filter((difference) => !(difference < 0.05))).toEqual([]);

      // Gradients of 2^24 times their size do not fit.
      rounded.tensors.byName.get('optimizer/lossScale')?.write(Float32Array.of(2 ** 24));
      const before = await rounded.read();
      await rounded.train(steps, 1);
      expect(await rounded.tensors.readLossScale()).toEqual({ scale: 2 ** 23, goodSteps: 0 });
      const after = await rounded.read();
      expect(after.weights).toEqual(before.weights);
      expect(after.optimizer).toEqual(before.optimizer);
      // The forward pass was as ever, and so were the moving statistics.
      expect(after.statistics).not.toEqual(before.statistics);
      for (const [, values] of after.statistics) expect(values?.every(Number.isFinite)).toBe(true);

      const further = await rounded.train(steps + 1, 2 * batches + 8);
      const { scale = 0, goodSteps = 0 } = (await rounded.tensors.readLossScale()) ?? {};
      console.log(
        `scale ${scale} after ${goodSteps} good steps; losses ${further.map((l) => l.toFixed(3)).join(', ')}`,
      );
      expect(goodSteps).toBeGreaterThan(batches);
      expect(scale).toBeLessThan(2 ** 24);
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
        await step.run(prepared[i % batches] ?? buffers, 1e-3, i);
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
