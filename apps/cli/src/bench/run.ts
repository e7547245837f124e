import { performance } from 'node:perf_hooks';
import type { Backend } from '@skiplane/core';
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
import prettyBytes from 'pretty-bytes';
import type { BackendName } from '../backend-names.ts';
import { openBackend } from '../backends.ts';
import { findModel } from '../model.ts';
import { note, printJson, printLine } from '../output.ts';
import { renderTable } from '../render/table.ts';

export interface BenchFlags {
  readonly model: string;
  readonly backend: BackendName;
  readonly threads?: number | undefined;
  readonly batch: number;
  readonly seconds: number;
  readonly json?: true | undefined;
}

/** One measured program; times in milliseconds. */
interface Measurement {
  readonly imagesPerSecond: number;
  readonly medianMilliseconds: number;
  readonly minimumMilliseconds: number;
  readonly runs: number;
  readonly compileMilliseconds: number;
}

/** `skiplane bench`. Data are made beforehand: the figures are those of the compiled programs alone. */
export async function bench({
  model: name,
  backend: wanted,
  threads,
  batch,
  seconds,
  json,
}: BenchFlags): Promise<void> {
  const model = findModel(name);
  using backend = await openBackend({ backend: wanted, threads });
  const images = benchImages(model, batch);
  note(`measuring inference for ${seconds} s, then training for ${seconds} s`);
  const inference = await measureInference(backend, model, images, seconds);
  const training = await measureTraining(backend, model, images, seconds);
  const peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
  if (json) printJson({ model: name, batch, device: backend.info.device, inference, training, peakMemoryBytes });
  else print(`${name}, batch ${batch}, ${backend.info.device}`, inference, training, peakMemoryBytes);
}

function benchImages(model: ModelConfig, batch: number): BatchBuffers {
  const data = syntheticDataset({ count: batch, seed: 1, split: 'train' });
  const buffers = batchBuffers(data, batch);
  new BatchPreparer(data, createPreprocessing(data)).prepare(null, 0, batch, buffers, null);
  return buffers;
}

async function measureInference(
  backend: Backend,
  model: ModelConfig,
  { images }: BatchBuffers,
  seconds: number,
): Promise<Measurement> {
  const batch = images.length / (model.imageSize[0] * model.imageSize[1] * model.channels);
  const start = performance.now();
  using program = await InferenceProgram.compile(backend, model, inferenceGraph(model, { batch }));
  const compileMilliseconds = performance.now() - start;
  program.writeParameters(initialParameters(model, 1));
  program.bound.write('x', images);
  return { ...(await measure(batch, seconds, () => program.bound.program.run())), compileMilliseconds };
}

async function measureTraining(
  backend: Backend,
  model: ModelConfig,
  buffers: BatchBuffers,
  seconds: number,
): Promise<Measurement> {
  const batch = buffers.labels.length / model.classes;
  using tensors = new TrainingTensors(backend, model.name, parameterSpecs(model), initialParameters(model, 1));
  const start = performance.now();
  using step = await TrainingStep.compile(backend, model, tensors, { batch });
  const compileMilliseconds = performance.now() - start;
  let count = 0;
  return { ...(await measure(batch, seconds, () => step.run(buffers, 1e-3, count++))), compileMilliseconds };
}

/** Runs for the given time after one run to warm up; the median is what is quoted. */
async function measure(
  batch: number,
  seconds: number,
  run: () => Promise<void>,
): Promise<Omit<Measurement, 'compileMilliseconds'>> {
  await run();
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (times.length < 3 || performance.now() < end) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] as number;
  return {
    imagesPerSecond: (batch / median) * 1000,
    medianMilliseconds: median,
    minimumMilliseconds: sorted[0] as number,
    runs: sorted.length,
  };
}

function print(title: string, inference: Measurement, training: Measurement, peakMemoryBytes: number): void {
  printLine(title);
  printLine();
  printLine(
    renderTable({
      head: ['', 'Images/s', 'Median ms', 'Least ms', 'Runs', 'Compile ms'],
      align: ['left', 'right', 'right', 'right', 'right', 'right'],
      rows: Object.entries({ inference, training }).map(([name, measured]) => [
        name,
        measured.imagesPerSecond.toFixed(0),
        measured.medianMilliseconds.toFixed(1),
        measured.minimumMilliseconds.toFixed(1),
        String(measured.runs),
        measured.compileMilliseconds.toFixed(0),
      ]),
    }),
  );
  printLine();
  printLine(`Peak memory of the process: ${prettyBytes(peakMemoryBytes)}`);
}
