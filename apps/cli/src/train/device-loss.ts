import { existsSync } from 'node:fs';
import type { DeviceLostError } from '@skiplane/core';
import { CommandError } from '../errors.ts';
import { checkpointPath, resumeCommand, type PlannedRun } from './plan-run.ts';
import type { TrainFlags } from './settings.ts';

/** What is kept of a run whose device is gone, and how to go on with it. */
export function deviceLoss(error: DeviceLostError, { folder }: PlannedRun, flags: TrainFlags): CommandError {
  const last = checkpointPath(folder);
  // A new end is not in the checkpoint yet.
  const epochs = flags.resume && flags.epochs !== undefined ? ` --epochs ${flags.epochs}` : '';
  const wayOn = existsSync(last)
    ? `The last saved checkpoint is '${last}'; go on from it:\n  ${resumeCommand(folder, flags)}${epochs}`
    : 'It had not come to its first checkpoint: begin it anew, with a small --save-seconds if the device stays unreliable.';
  const { device, reason, message } = error.details;
  return new CommandError(
    `training in '${folder}' has stopped: the device '${String(device)}' was lost (${String(reason)}): ${String(message)}\n${wayOn}`,
    { cause: error },
  );
}
