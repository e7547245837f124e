import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { recipeDifferences, type Checkpoint, type TrainResult } from '@skiplane/resnet';
import { RunDirectory, runFiles } from '@skiplane/resnet/node';
import { CommandError, UsageError } from '../errors.ts';
import { formatGpuAdapter } from '../gpu-adapter.ts';
import { programName, shellQuote } from '../shell.ts';
import { resumedDataOptions, saveDataOptions, type DataOptions } from './run-options.ts';
import { runSinks } from './sinks.ts';
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

/** The folder that the options name, or mean. */
export const folderOf = (flags: TrainFlags): string =>
  flags.out ?? join('runs', flags.model?.toLowerCase() ?? defaultModel);

/** Whether a folder holds a run to go on with. */
export const holdsRun = (folder: string): boolean => existsSync(runFiles(folder).last);

/** Decides what to train, from the options or from the run in `--out`. */
export async function planRun(flags: TrainFlags): Promise<PlannedRun> {
  return flags.resume ? await planResumed(flags) : planNew(flags);
}

function planNew(flags: TrainFlags): PlannedRun {
  const settings = newSettings(flags);
  const folder = flags.out ?? join('runs', settings.model.name);
  if (holdsRun(folder)) {
    throw new CommandError(
      `'${folder}' holds a run already. Go on with it by --resume, or begin a new run in another folder by --out.`,
    );
  }
  return newRun(folder, settings, flags);
}

/** The run of these settings in a folder: a new one, or the one that is there already and goes on. */
export async function planFixed(folder: string, settings: Settings, dataOptions: DataOptions): Promise<PlannedRun> {
  if (!holdsRun(folder)) return newRun(folder, settings, dataOptions);
  const directory = await RunDirectory.resume(folder, await runSinks());
  const { checkpoint } = directory;
  const run = checkpoint?.training == null ? null : checkpoint;
  const kept = run?.training.settings;
  if (run === null || kept === undefined || !isSame(settings, { ...kept, model: run.model })) {
    throw new CommandError(`'${folder}' holds another run already. Choose another folder by --out.`);
  }
  const finished = finishedResult(run, settings);
  return {
    folder,
    settings: { ...settings, imagesOn: kept.imagesOn },
    dataOptions,
    checkpoint,
    finished,
    open: () => Promise.resolve(directory),
  };
}

/** Whether a run has the settings that are wanted, as far as they are. */
function isSame(a: Settings, b: Settings): boolean {
  return (
    a.model.name === b.model.name &&
    a.seed === b.seed &&
    a.lossScaling === b.lossScaling &&
    (a.imagesOn === undefined || a.imagesOn === b.imagesOn) &&
    a.recipe.epochs === b.recipe.epochs &&
    recipeDifferences(a.recipe, b.recipe).length === 0
  );
}

function newRun(folder: string, settings: Settings, dataOptions: DataOptions): PlannedRun {
  return {
    folder,
    settings,
    dataOptions,
    checkpoint: null,
    finished: null,
    async open() {
      const directory = await RunDirectory.create(folder, await runSinks());
      await saveDataOptions(folder, dataOptions);
      return directory;
    },
  };
}

async function planResumed(flags: TrainFlags): Promise<PlannedRun> {
  const folder = folderOf(flags);
  if (!holdsRun(folder)) {
    throw new CommandError(
      `cannot resume: '${folder}' holds no run (no last.safetensors). Name its folder with --out, or begin a run without --resume.`,
    );
  }
  const directory = await RunDirectory.resume(folder, await runSinks());
  const { checkpoint } = directory;
  if (!checkpoint?.training) {
    throw new CommandError(`cannot resume: last.safetensors in '${folder}' holds weights alone, no training state.`);
  }
  const { settings: kept, epochsDone } = checkpoint.training;
  const settings = resumedSettings(flags, checkpoint, kept, folder);
  if (settings.recipe.epochs < epochsDone) {
    throw new UsageError(
      `option '--epochs' is ${settings.recipe.epochs}, but the run in '${folder}' has done ${epochsDone} already.`,
    );
  }
  return {
    folder,
    settings,
    dataOptions: await resumedDataOptions(folder, flags),
    checkpoint,
    finished: finishedResult(checkpoint, settings),
    open: () => Promise.resolve(directory),
  };
}

/** How a run ended; null while it has something left to do. */
function finishedResult(checkpoint: Checkpoint, { recipe }: Settings): TrainResult | null {
  const { training } = checkpoint;
  if (!training?.end) return null;
  const { epochsDone, callbacks, history, best, end } = training;
  if (epochsDone < recipe.epochs && !callbacks.stopped) return null;
  return { checkpoint, history, best, test: end.test, interrupted: false };
}

/** The command that goes on with a run. */
export function resumeCommand(folder: string, flags: TrainFlags): string {
  const backend = flags.backend === 'auto' ? [] : ['--backend', flags.backend];
  const threads = flags.threads === undefined ? [] : ['--threads', String(flags.threads)];
  const gpu = flags.gpu === undefined ? [] : ['--gpu', formatGpuAdapter(flags.gpu)];
  const conv = flags.conv === undefined ? [] : ['--conv', flags.conv];
  const options = ['train', '--resume', '--out', folder, ...backend, ...gpu, ...conv, ...threads];
  return [programName(), ...options.map(shellQuote)].join(' ');
}
