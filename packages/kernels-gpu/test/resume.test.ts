import {
  DeviceLostError,
  gradients,
  GraphBuilder,
  samePadding,
  window2d,
  type Backend,
  type Graph,
  type Program,
  type Tensor,
  type TypedArray,
} from '@skiplane/core';
import { expect, test } from 'vitest';
import { createGpuBackend } from '../src/index.ts';
import { replaceMethod } from './support/observe.ts';
import { bind, f32 } from './support/graphs.ts';
import { softwareDrivers } from './software.ts';

const [driver] = await softwareDrivers();
const size = 6;

/** A training step of a small net: a convolution, a batch norm, a dense layer, cross-entropy, Adam. */
function trainingStep(): Graph {
  const build = new GraphBuilder('training step');
  const parameter = (name: string, ...shape: number[]) => build.input(name, f32(...shape));
  const window = window2d(1, samePadding([size, size], [3, 3], [1, 1]));
  const convolution = { window, bias: false, residual: false, activation: 'none' } as const;
  const norm = { epsilon: 1e-3, momentum: 0.9, movingVariance: 'biased', residual: false, activation: 'none' } as const;
  const filter = parameter('filter', 3, 3, 4, 8);
  const kernel = parameter('kernel', size * size * 8, 5);
  const convolved = build.op('conv2d', [parameter('x', 3, size, size, 4), filter], convolution, 'conv');
  const statistics = ['gamma', 'beta', 'mean', 'variance'].map((name) => parameter(name, 8));
  const [normalized = 0] = build.opOutputs('batchNormTraining', [convolved, ...statistics], norm, 'norm');
  const flat = build.op('reshape', [build.op('relu', [normalized], {})], { shape: [3, size * size * 8] });
  const logits = build.op('matMul', [flat, kernel], { transposeA: false, transposeB: false });
  const losses = build.op('softmaxCrossEntropy', [logits, parameter('labels', 3, 5)], { labelSmoothing: 0 });
  const loss = build.op('reduceSum', [losses], {});
  const trained = [filter, kernel];
  const { graph, gradients: grads } = gradients(build.build(), loss, trained);
  const step = new GraphBuilder('training step', graph);
  const stepSize = step.input('stepSize', f32());
  trained.forEach((id, i) => {
    const { name, shape } = graph.values[id] ?? { name: undefined, shape: [] };
    const moments = ['m', 'v'].map((moment) => step.input(`${moment}/${name}`, f32(...shape)));
    step.opOutputs('adam', [id, ...moments, grads[i] ?? -1, stepSize], { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 });
  });
  return step.build();
}

const wave = (length: number, phase: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(phase + i * 1.7));

type State = ReadonlyMap<string, TypedArray>;

/** What a run begins with. */
function firstState(graph: Graph): State {
  return new Map(
    graph.values.flatMap(({ name, shape }) => {
      if (name === undefined) return [];
      const length = shape.reduce((product, count) => product * count, 1);
      if (/^[mv]\//.test(name)) return [[name, new Float32Array(length)] as const];
      if (/gamma|variance/.test(name)) return [[name, new Float32Array(length).fill(1)] as const];
      return [[name, wave(length, name.length)] as const];
    }),
  );
}

interface Trainer {
  readonly program: Program;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

async function open(backend: Backend, graph: Graph, state: State): Promise<Trainer> {
  const tensors = bind(backend, graph);
  for (const [name, data] of state) tensors.get(name)?.write(data);
  return { tensors, program: await backend.compile(graph, tensors) };
}

async function runSteps({ program, tensors }: Trainer, first: number, end: number): Promise<void> {
  for (let step = first; step < end; step++) {
    tensors.get('x')?.write(wave(3 * size * size * 4, step));
    tensors.get('labels')?.write(Float32Array.from({ length: 15 }, (_, i) => Number(i % 5 === step % 5)));
    tensors.get('stepSize')?.write(Float32Array.of(0.01));
    await program.run();
  }
}

async function readState({ tensors }: Trainer): Promise<State> {
  return new Map(await Promise.all([...tensors].map(async ([name, tensor]) => [name, await tensor.read()] as const)));
}

test.runIf(driver)(
  'a run whose device is lost goes on from its last state, on a new device, to the same bits',
  async () => {
    const graph = trainingStep();
    const software = driver?.software ?? true;
    let device: GPUDevice | undefined;
    const restore = replaceMethod('GPUDevice', 'createBuffer', (self, create) => (descriptor) => {
      device = self;
      return create(descriptor);
    });
    using backend = await createGpuBackend({ software, conv: 'direct' });
    const whole = await open(backend, graph, firstState(graph));
    await runSteps(whole, 0, 12);
    const expected = await readState(whole);
    expect(expected).not.toEqual(firstState(graph));

    const lost = await open(backend, graph, firstState(graph));
    await runSteps(lost, 0, 5);
    const saved = await readState(lost);
    restore();
    const training = runSteps(lost, 5, 12);
    device?.destroy();
    await expect(training).rejects.toThrow(DeviceLostError);

    using next = await createGpuBackend({ software, conv: 'direct' });
    const resumed = await open(next, graph, saved);
    await runSteps(resumed, 5, 12);
    expect(await readState(resumed)).toEqual(expected);
  },
  120_000,
);
