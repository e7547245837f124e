import type { Backend } from '@skiplane/core';
import { measure } from '../bench/measure.ts';
import { benchImages, withInference, withTraining } from '../bench/workload.ts';
import type { Data } from '../data/load.ts';
import { UsageError } from '../errors.ts';
import { findModel } from '../model.ts';
import { note } from '../output.ts';
import { formatCount, formatDuration } from '../render/format.ts';
import type { LabPlan } from './lab-file.ts';

interface Work {
  readonly plan: LabPlan;
  readonly backend: Backend;
  readonly data: Data;
}

/** Seconds that each program is timed. */
const timedSeconds = 1;

/**
 * How many epochs all nets can be given alike for their runs to end within a budget, at the speed of this moment, and at most
 * those of the recipe.
 * @throws {UsageError} when it is less than one
 */
export async function fitBudget(seconds: number, { plan, backend, data }: Work): Promise<LabPlan> {
  const secondsAnEpoch = await timeEpoch({ plan, backend, data });
  const { epochs: wantedEpochs } = plan.recipe;
  const epochs = Math.min(wantedEpochs, Math.floor(seconds / secondsAnEpoch));
  if (epochs < 1) {
    const images = Math.floor((data.train.count * seconds) / secondsAnEpoch);
    throw new UsageError(
      `option '--budget' is ${formatDuration(seconds)}, but one epoch of all ${plan.nets.length * plan.seeds.length} runs takes about ` +
        `${formatDuration(secondsAnEpoch)} here. Give more, fewer --nets or --seeds, or fewer images: one epoch fits with --limit-train ${formatCount(images)} at most.`,
    );
  }
  note(
    `one epoch of all runs takes about ${formatDuration(secondsAnEpoch)}: ${epochs} of ${wantedEpochs} epochs fit in ${formatDuration(seconds)}`,
  );
  return { ...plan, recipe: { ...plan.recipe, epochs }, budget: { seconds, secondsAnEpoch, wantedEpochs } };
}

/** One epoch of every run: training, and evaluation on the test images. */
async function timeEpoch({ plan: { nets, seeds, recipe, lossScaling }, backend, data }: Work): Promise<number> {
  let seconds = 0;
  for (const name of nets) {
    const model = findModel(name);
    const batch = Math.min(recipe.batchSize, data.train.count);
    const input = { backend, model, batch, buffers: benchImages(model, batch), lossScaling };
    const options = { batch, seconds: timedSeconds, perOp: false };
    const training = await withTraining(input, (workload) => measure(workload, options));
    const inference = await withInference(input, (workload) => measure(workload, options));
    seconds += data.train.count / training.imagesPerSecond + data.test.count / inference.imagesPerSecond;
  }
  return seconds * seeds.length;
}
