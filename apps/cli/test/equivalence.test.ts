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
import { createGpuBackend } from '@skiplane/kernels-gpu';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import {
  batchBuffers,
  BatchPreparer,
  createPreprocessing,
  inferenceGraph,
  initialParameters,
  lossGraph,
  modelConfig,
  syntheticDataset,
  train,
  type ModelConfig,
  type TrainResult,
} from '@skiplane/resnet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingGpu } from './gpu.ts';

/** A software adapter compiles a net's kernels for many seconds. */
const timeout = 180_000;
const batch = 2;
/**
 * Images are small: where a relu's operand is as near to zero as rounding errors reach, its gradient jumps, and among
 * the million operands of full-sized images there are always some.
 */
const size = 8;
const config = (name: string): ModelConfig => modelConfig(name, { imageSize: [size, size] });

/** Largest relative distance from the oracle, in the L2 norm, of any tensor; Winograd rounds more. */
const bounds = { direct: { oneStep: 1e-5, twentySteps: 1e-3 }, auto: { oneStep: 3e-5, twentySteps: 1e-3 } } as const;

type Conv = keyof typeof bounds;

interface Candidate {
  readonly name: string;
  readonly conv: Conv;
  readonly open: () => Promise<Backend>;
  /** Why it cannot run here. */
  readonly missing: string | undefined;
}

const noGpu = await missingGpu();
const convs: readonly Conv[] = ['direct', 'auto'];
const candidates: readonly Candidate[] = [
  ...(['simd', 'relaxed-simd'] as const).flatMap((binary) =>
    convs.map((conv) => ({
      name: `wasm ${binary}, conv ${conv}`,
      conv,
      open: () => createWasmBackend({ binary, conv, threads: 2 }),
      missing: undefined,
    })),
  ),
  ...convs.map((conv) => ({
    name: `gpu, conv ${conv}`,
    conv,
    open: () => createGpuBackend({ software: 'swiftshader', conv }),
    missing: noGpu,
  })),
];

/** A software adapter compiles for a minute: one of its ways is enough here. */
const chosen = candidates.filter(({ name }) => name !== 'gpu, conv direct');

/** Nets share most of their kernels, and a backend compiles each once. */
const backends = new Map<Candidate, Promise<Backend>>();
afterAll(async () => (await Promise.all(backends.values())).forEach((backend) => backend.dispose()));

function opened(candidate: Candidate): Promise<Backend> {
  const backend = backends.get(candidate) ?? candidate.open();
  backends.set(candidate, backend);
  return backend;
}

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
  build.output('loss', build.op('affine', [loss], { scale: 1, offset: 0 }));
  return { graph: build.build(), outputs: ['loss', ...outputs] };
}

function inputs(name: string): Record<string, TypedArray> {
  const data = syntheticDataset({ count: batch, seed: 3, split: 'train', size });
  const buffers = batchBuffers(data, batch);
  new BatchPreparer(data, createPreprocessing(data)).prepare(null, 0, batch, buffers, null);
  return { ...Object.fromEntries(initialParameters(config(name), 1)), x: buffers.images, labels: buffers.labels };
}

function inferenceInputs(name: string): Record<string, TypedArray> {
  const { labels: _, ...rest } = inputs(name);
  return rest;
}

function norm(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function relativeDistance(actual: TypedArray, expected: TypedArray): number {
  const oracle = Float64Array.from(expected);
  const distance = norm(oracle.map((value, i) => value - (actual[i] as number)));
  return distance === 0 ? 0 : distance / norm(oracle);
}

/** The tensor farthest from the oracle's, by name, printed for the record. */
function largestDistance(
  what: string,
  actual: (name: string) => TypedArray | undefined,
  expected: ReadonlyMap<string, TypedArray>,
): number {
  const distances = [...expected].map(
    ([name, values]) => [name, relativeDistance(actual(name) as TypedArray, values)] as const,
  );
  const [name, largest] = distances.reduce((worst, next) => (next[1] > worst[1] ? next : worst));
  console.log(`${what}: ${distances.length} tensors, largest relative distance ${largest.toExponential(1)} (${name})`);
  return largest;
}

/**
 * Another seed than the gradients': Adam makes a whole step of a gradient that is nothing but rounding errors, and some seeds
 * meet one (2, in a shift of resnet11v2).
 */
async function twentySteps(backend: Backend, name: string): Promise<TrainResult> {
  const events = train({
    backend,
    model: config(name),
    train: syntheticDataset({ split: 'train', count: 160, seed: 3, size }),
    validation: syntheticDataset({ split: 'test', count: 8, seed: 3, size }),
    epochs: 1,
    batchSize: 8,
    seed: 3,
    learningRate: 1e-3,
    augment: true,
    compile: { fuse: true },
  });
  for (;;) {
    const next = await events.next();
    if (next.done === true) return next.value;
  }
}

describe.each(['resnet8v1', 'resnet20v1', 'resnet11v2', 'resnet29v2', 'he20', 'he11v2'])('%s', (name) => {
  const step = gradientGraph(name);
  const inference = inferenceGraph(config(name), { batch }).graph;
  const expected = new Map<string, TypedArray>();
  beforeAll(async () => {
    const reference = createReferenceBackend();
    const values = await evaluate(reference, step.graph, inputs(name), { fuse: true });
    for (const output of step.outputs) expected.set(output, values[output] as TypedArray);
    const { logits } = await evaluate(reference, inference, inferenceInputs(name), { fuse: true });
    expected.set('logits', logits as TypedArray);
  }, timeout);

  // He's nets have kernels of their own shapes, which a software adapter compiles for a minute; its conformance has their ops.
  const able = name.startsWith('he') ? candidates.filter((candidate) => !candidate.name.startsWith('gpu')) : candidates;
  test.for(able)('logits, loss and every gradient of a step on $name', { timeout }, async (candidate, context) => {
    const { conv, missing } = candidate;
    context.skip(missing !== undefined, missing);
    const backend = await opened(candidate);
    const actual = await evaluate(backend, step.graph, inputs(name));
    const { logits } = await evaluate(backend, inference, inferenceInputs(name));
    const all = (output: string) => (output === 'logits' ? logits : actual[output]);
    const distance = largestDistance(`${name}, one step on ${candidate.name}`, all, expected);
    expect(distance).toBeLessThanOrEqual(bounds[conv].oneStep);
  });
});

describe.each(['resnet8v1', 'resnet11v2'])('%s', (name) => {
  let expected: TrainResult;
  beforeAll(async () => {
    expected = await twentySteps(createReferenceBackend(), name);
  }, timeout);

  test.for(chosen)('weights after 20 steps on $name', { timeout }, async (candidate, context) => {
    const { conv, missing } = candidate;
    context.skip(missing !== undefined, missing);
    const backend = await opened(candidate);
    const { checkpoint } = await twentySteps(backend, name);
    const distance = largestDistance(
      `${name}, 20 steps on ${candidate.name}`,
      (parameter) => checkpoint.parameters.get(parameter),
      expected.checkpoint.parameters,
    );
    expect(distance).toBeLessThanOrEqual(bounds[conv].twentySteps);
  });
});
