import { performance } from 'node:perf_hooks';
import type { Backend, Profile } from '@skiplane/core';
import {
  batchBuffers,
  BatchPreparer,
  createPreprocessing,
  inferenceGraph,
  InferenceProgram,
  initialParameters,
  parameterSpecs,
  syntheticDataset,
  TrainingStep,
  TrainingTensors,
  type BatchBuffers,
  type ModelConfig,
} from '@skiplane/resnet';

/** A compiled program with its data. */
export interface Workload {
  /** From the model to a program that can run. */
  readonly compileMilliseconds: number;
  run(): Promise<void>;
  profile(): Promise<Profile>;
}

/** What a workload is made of. */
export interface WorkloadInput {
  readonly backend: Backend;
  readonly model: ModelConfig;
  /** A prepared batch: figures are those of the compiled programs alone. */
  readonly buffers: BatchBuffers;
  readonly batch: number;
  /** Whether training scales its loss. */
  readonly lossScaling: boolean;
}

/** A batch as the model takes it; what the images show, and of which class they are, changes no speed. */
export function benchImages({ imageSize: [size], classes }: ModelConfig, batch: number): BatchBuffers {
  const images = syntheticDataset({ count: batch, seed: 1, split: 'train', size });
  const data = { ...images, classNames: Array.from({ length: classes }, (_, index) => `class ${index}`) };
  const buffers = batchBuffers(data, batch);
  new BatchPreparer(data, createPreprocessing(data)).prepare(null, 0, batch, buffers, null);
  return buffers;
}

type Measure<T> = (workload: Workload) => Promise<T>;

export async function withInference<T>(
  { backend, model, buffers, batch }: WorkloadInput,
  measure: Measure<T>,
): Promise<T> {
  const start = performance.now();
  using program = await InferenceProgram.compile(backend, model, inferenceGraph(model, { batch }));
  const compileMilliseconds = performance.now() - start;
  program.writeParameters(initialParameters(model, 1));
  program.bound.write('x', buffers.images);
  return await measure({
    compileMilliseconds,
    run: () => program.bound.program.run(),
    profile: () => program.bound.program.profile(),
  });
}

const learningRate = 1e-3;

export async function withTraining<T>(
  { backend, model, buffers, batch, lossScaling }: WorkloadInput,
  measure: Measure<T>,
): Promise<T> {
  const parameters = initialParameters(model, 1);
  using tensors = new TrainingTensors(backend, model.name, parameterSpecs(model), parameters, null, {
    lossScaling,
  });
  const start = performance.now();
  using step = await TrainingStep.compile(backend, model, tensors, { batch });
  const compileMilliseconds = performance.now() - start;
  let count = 0;
  return await measure({
    compileMilliseconds,
    run: () => step.run(buffers, learningRate, count++),
    profile: () => step.profile(buffers, learningRate, count++),
  });
}
