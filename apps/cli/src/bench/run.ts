import { performance } from 'node:perf_hooks';
import { openBackend, type BackendFlags } from '../backends.ts';
import { findModel } from '../model.ts';
import { note, printJson } from '../output.ts';
import { measure } from './measure.ts';
import { measurePeaks } from './peaks.ts';
import { printResult, type BenchResult } from './print.ts';
import { benchImages, withInference, withTraining } from './workload.ts';

export interface BenchFlags extends BackendFlags {
  readonly model: string;
  readonly batch: number;
  readonly seconds: number;
  readonly perOp?: true | undefined;
  readonly json?: true | undefined;
}

/** `skiplane bench`. */
export async function bench({ model: name, batch, seconds, perOp, json, ...backendFlags }: BenchFlags): Promise<void> {
  const model = findModel(name);
  using backend = await openBackend(backendFlags);
  // The clock of Node begins at the start of the process.
  const startupMilliseconds = performance.now();
  const lossScaling = backendFlags.precision === 'f16';
  const input = { backend, model, batch, buffers: benchImages(model, batch), lossScaling };
  const options = { batch, seconds, perOp: perOp ?? false };
  note(`measuring inference, then training, for ${seconds} s each${perOp ? ' and as long again op by op' : ''}`);
  const inference = await withInference(input, (workload) => measure(workload, options));
  const training = await withTraining(input, (workload) => measure(workload, options));
  const peaks = perOp ? await measurePeaks(backend, Math.min(seconds, 2)) : undefined;
  const result: BenchResult = {
    model: name,
    batch,
    device: backend.info.device,
    startupMilliseconds,
    compileMilliseconds: inference.compileMilliseconds + training.compileMilliseconds,
    inference,
    training,
    ...peaks,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  };
  if (json) printJson(result);
  else printResult(result);
}
