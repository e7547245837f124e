import { performance } from 'node:perf_hooks';
import type { Backend } from '@skiplane/core';
import { inferenceGraph, InferenceProgram, type BatchBuffers, type Weighted } from '@skiplane/resnet';

export interface SpeedOptions {
  readonly backend: Backend;
  readonly batch: number;
  /** A prepared batch. */
  readonly buffers: BatchBuffers;
  readonly seconds: number;
}

/** Images per second of two networks, by the medians of runs that take turns, so that what slows the machine slows both. */
export async function speeds(
  pair: readonly [Weighted, Weighted],
  { backend, batch, buffers, seconds }: SpeedOptions,
): Promise<readonly [number, number]> {
  using first = await compiled(backend, pair[0], batch, buffers);
  using second = await compiled(backend, pair[1], batch, buffers);
  const times: [number[], number[]] = [[], []];
  const end = performance.now() + seconds * 1000;
  // The first two runs of each warm up.
  for (let round = 0; round < 5 || performance.now() < end; round++) {
    for (const [index, { bound }] of [first, second].entries()) {
      const start = performance.now();
      await bound.program.run();
      if (round >= 2) times[index]?.push(performance.now() - start);
    }
  }
  return [batch / (median(times[0]) / 1000), batch / (median(times[1]) / 1000)];
}

async function compiled(
  backend: Backend,
  { model, parameters }: Weighted,
  batch: number,
  { images }: BatchBuffers,
): Promise<InferenceProgram> {
  const program = await InferenceProgram.compile(backend, model, inferenceGraph(model, { batch }));
  program.writeParameters(parameters);
  program.bound.write('x', images);
  return program;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
