import { performance } from 'node:perf_hooks';
import { summarizeProfiles, type OpProfile } from './op-profile.ts';
import { repeat } from './repeat.ts';
import type { Workload } from './workload.ts';

/** One measured program; times in milliseconds. */
export interface Measurement extends Partial<OpProfile> {
  readonly imagesPerSecond: number;
  readonly medianMilliseconds: number;
  readonly minimumMilliseconds: number;
  readonly runs: number;
  readonly compileMilliseconds: number;
}

export interface MeasureOptions {
  readonly batch: number;
  /** How long to measure, for the runs and for the ops each. */
  readonly seconds: number;
  readonly perOp: boolean;
}

export async function measure(workload: Workload, { batch, seconds, perOp }: MeasureOptions): Promise<Measurement> {
  const times = await timeRuns(workload, seconds);
  const median = times[Math.floor(times.length / 2)] as number;
  return {
    imagesPerSecond: (batch / median) * 1000,
    medianMilliseconds: median,
    minimumMilliseconds: times[0] as number,
    runs: times.length,
    compileMilliseconds: workload.compileMilliseconds,
    ...(perOp && summarizeProfiles(await repeat(seconds, () => workload.profile()))),
  };
}

/** Milliseconds of each run, sorted, after two runs to warm up. */
async function timeRuns(workload: Workload, seconds: number): Promise<readonly number[]> {
  // A device works behind: a run waits for the one before it, and so takes as long as that one. The second ends the first, in
  // which a driver may still compile.
  await workload.run();
  await workload.run();
  const times = await repeat(seconds, async () => {
    const start = performance.now();
    await workload.run();
    return performance.now() - start;
  });
  return times.toSorted((a, b) => a - b);
}
