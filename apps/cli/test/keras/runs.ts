import type { Backend } from '@skiplane/core';
import {
  Evaluator,
  inferenceGraph,
  InferenceProgram,
  kerasAdam,
  kerasAdamW,
  l2Penalty,
  modelConfig,
  parameterSpecs,
  TrainingStep,
  TrainingTensors,
  type BatchSource,
  type Dataset,
  type OptimizerSettings,
  type Parameters,
  type TrainingState,
} from '@skiplane/resnet';
import type { KerasModel, TenSteps } from './fixtures.ts';
import { batchOf, imageBytes, parametersOf, type Batch } from './formula.ts';

/** What Keras did for its fixtures, done with the parts that `train`, `evaluate` and `predict` are made of. */

const inferenceBatch = 8;

export interface Inferred {
  readonly logits: ArrayLike<number>;
  readonly probabilities: ArrayLike<number>;
  readonly loss: number;
  readonly l2: number;
  readonly accuracy: number;
}

/** @param fold  batch norms into convolutions, as `evaluate` does unless told otherwise */
export async function infer(backend: Backend, name: KerasModel, fold: boolean): Promise<Inferred> {
  const model = modelConfig(name);
  const specs = parameterSpecs(model);
  const parameters = parametersOf(specs);
  const batch = batchOf('inference', inferenceBatch);
  const graph = inferenceGraph(model, { batch: inferenceBatch });
  using program = await InferenceProgram.compile(backend, model, graph, { fold });
  program.writeParameters(parameters);
  program.bound.write('x', batch.images);
  await program.bound.program.run();
  const { loss, correct } = await sumsOf(backend, name, parameters, batch, fold);
  const l2 = l2Penalty(specs, parameters);
  return {
    logits: await program.bound.tensor('logits').read(),
    probabilities: await program.bound.tensor('probabilities').read(),
    loss: loss / inferenceBatch + l2,
    l2,
    accuracy: correct / inferenceBatch,
  };
}

/** Loss and right answers as an evaluation sums them up. */
async function sumsOf(backend: Backend, name: KerasModel, parameters: Parameters, batch: Batch, fold: boolean) {
  const source: BatchSource = {
    tensors: new Map(),
    images: () => undefined,
    batch: () => ({ buffers: batch, prepare: () => undefined }),
    dispose: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
  const data = datasetOf(batch);
  using evaluator = await Evaluator.compile(backend, modelConfig(name), data, source, inferenceBatch, { fold });
  for await (const done of evaluator.run(parameters)) {
    if (done !== inferenceBatch) throw new Error(`the one batch has ${done} images`);
  }
  return await evaluator.readSums();
}

const datasetOf = ({ classes }: Batch): Dataset => ({
  name: 'inference',
  images: imageBytes('inference/images', [classes.length, 32, 32, 3]),
  labels: Uint8Array.from(classes),
  count: classes.length,
  height: 32,
  width: 32,
  channels: 3,
  classNames: Array.from({ length: 10 }, (_, k) => String(k)),
});

/** The optimizer of a run in our words. */
function optimizerOf({ optimizer }: TenSteps): OptimizerSettings {
  const { name, momentum = 0, nesterov = false, weightDecay = 0, beta1, beta2, epsilon } = optimizer;
  if (name === 'SGD') return { kind: 'sgd', momentum, nesterov };
  const settings = name === 'AdamW' ? { ...kerasAdamW, weightDecay } : kerasAdam;
  if (settings.beta1 !== beta1 || settings.beta2 !== beta2 || settings.epsilon !== epsilon)
    throw new Error(`the constants of Keras's ${name} are ${beta1}, ${beta2} and ${epsilon}`);
  return settings;
}

interface State {
  readonly parameters: Parameters;
  readonly optimizer: TrainingState['optimizer'];
}

export interface Trained {
  /** With the L2 penalty, which is below; before each update. */
  readonly losses: readonly number[];
  readonly l2: readonly number[];
  readonly accuracies: readonly number[];
  readonly afterFirst: State;
  readonly afterLast: State;
}

/** Trains on the batches of a run. @param count  the first of them only */
export async function trainLike(backend: Backend, name: KerasModel, run: TenSteps, count: number): Promise<Trained> {
  const { labelSmoothing = 0, learningRate } = run.optimizer;
  const optimizer = optimizerOf(run);
  const model = modelConfig(name);
  const specs = parameterSpecs(model);
  using tensors = new TrainingTensors(backend, name, specs, parametersOf(specs), null, { optimizer });
  const read = async (): Promise<State> => ({
    parameters: await tensors.readParameters(),
    optimizer: await tensors.readOptimizer(),
  });
  const steps = new Map<number, TrainingStep>();
  const figures = { losses: [] as number[], l2: [] as number[], accuracies: [] as number[] };
  const states: State[] = [];
  try {
    for (const [k, size] of run.batchSizes.slice(0, count).entries()) {
      // The oracle fuses only when asked to, and with that goes the exact zero of biases in front of a batch norm.
      const options = { batch: size, optimizer, labelSmoothing, compile: { fuse: true } };
      const step = steps.get(size) ?? (await TrainingStep.compile(backend, model, tensors, options));
      steps.set(size, step);
      figures.l2.push(l2Penalty(specs, await tensors.readParameters()));
      tensors.zeroMetrics();
      await step.run(batchOf(run.batches[k] ?? '', size), learningRate, k);
      const { loss, correct } = await tensors.readMetrics();
      figures.losses.push(loss / size);
      figures.accuracies.push(correct / size);
      if (k === 0) states.push(await read());
    }
    const afterLast = await read();
    return { ...figures, afterFirst: states[0] ?? afterLast, afterLast };
  } finally {
    for (const step of steps.values()) step.dispose();
  }
}

const gradientOf = (m: Float32Array): Float64Array => Float64Array.from(m, (value) => value / (1 - kerasAdam.beta1));

/** The gradients of Adam's first step: its momentum then is (1 − β1)·gradient, as it was zero. */
export function firstGradients({ afterFirst }: Trained): ReadonlyMap<string, Float64Array> {
  return new Map([...(afterFirst.optimizer['m'] ?? [])].map(([name, m]) => [name, gradientOf(m)]));
}
