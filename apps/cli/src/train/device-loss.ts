import { existsSync } from 'node:fs';
import type { DeviceLostError } from '@skiplane/core';
import { runFiles } from '@skiplane/resnet/node';
import { CommandError } from '../errors.ts';
import type { PlannedRun } from './plan-run.ts';

/** What is kept of a run whose device is gone, and how to go on with it. */
export function deviceLoss(
  error: DeviceLostError,
  { folder, settings, checkpoint }: PlannedRun,
  resumeCommand: string,
): CommandError {
  const { last } = runFiles(folder);
  // A new end is not in the checkpoint yet.
  const { epochs } = settings.recipe;
  const before = checkpoint?.training?.settings.recipe.epochs ?? epochs;
  const end = epochs === before ? '' : ` --epochs ${epochs}`;
  const wayOn = existsSync(last)
    ? `The last saved checkpoint is '${last}'; go on from it:\n  ${resumeCommand}${end}`
    : 'It had not come to its first checkpoint: begin it anew, with a small --save-seconds if the device stays unreliable.';
  const { device, reason, message } = error.details;
  return new CommandError(
    `training in '${folder}' has stopped: the device '${String(device)}' was lost (${String(reason)}): ${String(message)}\n${wayOn}`,
    { cause: error },
  );
}
