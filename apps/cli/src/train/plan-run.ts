import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint, TrainResult } from '@skiplane/resnet';
import { RunDirectory } from '@skiplane/resnet/node';
import { CommandError, UsageError } from '../errors.ts';
import { formatGpuAdapter } from '../gpu-adapter.ts';
import { programName, shellQuote } from '../shell.ts';
import { resumedDataOptions, saveDataOptions, type DataOptions } from './run-options.ts';
import { defaultModel, newSettings, resumedSettings, type Settings, type TrainFlags } from './settings.ts';

/** A run that is about to begin or to go on. */
export interface PlannedRun {
  readonly folder: string;
  readonly settings: Settings;
  readonly dataOptions: DataOptions;
  readonly checkpoint: Checkpoint | null;
  /** How it ended, when no epoch is left. */
  readonly finished: TrainResult | null;
  /** Makes the folder, once all else is known to be right. */
  open(): Promise<RunDirectory>;
}

const lastCheckpoint = 'last.safetensors';

/** The file that a run goes on from. */
export const checkpointPath = (folder: string): string => join(folder, lastCheckpoint);

/** Decides what to train, from the options or from the run in `--out`. */
export async function planRun(flags: TrainFlags): Promise<PlannedRun> {
  return flags.resume ? await planResumed(flags) : planNew(flags);
}

function planNew(flags: TrainFlags): PlannedRun {
  const settings = newSettings(flags);
  const folder = flags.out ?? join('runs', settings.model.name);
  if (existsSync(checkpointPath(folder))) {
    throw new CommandError(
      `'${folder}' holds a run already. Go on with it by --resume, or begin a new run in another folder by --out.`,
    );
  }
  return {
    folder,
    settings,
    dataOptions: flags,
    checkpoint: null,
    finished: null,
    async open() {
      const directory = await RunDirectory.create(folder);
      await saveDataOptions(folder, flags);
      return directory;
    },
  };
}

async function planResumed(flags: TrainFlags): Promise<PlannedRun> {
  const folder = flags.out ?? join('runs', flags.model?.toLowerCase() ?? defaultModel);
  if (!existsSync(checkpointPath(folder))) {
    throw new CommandError(
      `cannot resume: '${folder}' holds no run (no ${lastCheckpoint}). Name its folder with --out, or begin a run without --resume.`,
    );
  }
  const directory = await RunDirectory.resume(folder);
  const { checkpoint } = directory;
  if (!checkpoint?.training) {
    throw new CommandError(`cannot resume: ${lastCheckpoint} in '${folder}' holds weights alone, no training state.`);
  }
  const { settings: kept, epochsDone, history, best } = checkpoint.training;
  const settings = resumedSettings(flags, checkpoint, kept, folder);
  if (settings.epochs < epochsDone) {
    throw new UsageError(
      `option '--epochs' is ${settings.epochs}, but the run in '${folder}' has done ${epochsDone} already.`,
    );
  }
  return {
    folder,
    settings,
    dataOptions: await resumedDataOptions(folder, flags),
    checkpoint,
    finished: epochsDone === settings.epochs ? { checkpoint, history, best, interrupted: false } : null,
    open: () => Promise.resolve(directory),
  };
}

/** The command that goes on with a run. */
export function resumeCommand(folder: string, flags: TrainFlags): string {
  const backend = flags.backend === 'auto' ? [] : ['--backend', flags.backend];
  const threads = flags.threads === undefined ? [] : ['--threads', String(flags.threads)];
  const gpu = flags.gpu === undefined ? [] : ['--gpu', formatGpuAdapter(flags.gpu)];
  const options = ['train', '--resume', '--out', folder, ...backend, ...gpu, ...threads];
  return [programName(), ...options.map(shellQuote)].join(' ');
}
