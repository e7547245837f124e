import { setImmediate as nextTurn } from 'node:timers/promises';
import { DeviceLostError, type Backend } from '@skiplane/core';
import { train as trainModel, type TrainEvent, type TrainOptions, type TrainResult } from '@skiplane/resnet';
import { openBackend, type BackendFlags } from '../backends.ts';
import { loadData, type Data } from '../data/load.ts';
import { exitCodes } from '../errors.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { note } from '../output.ts';
import { createProgress, noProgress } from '../render/progress.ts';
import { deviceLoss } from './device-loss.ts';
import { chooseImagesOn } from './images-on.ts';
import { JsonReporter } from './json-reporter.ts';
import type { PlannedRun } from './plan-run.ts';
import { report, type Ending, type Reporter } from './reporter.ts';
import { removeResults, resultPaths, writeResults } from './results.ts';
import { precisionOf, type Settings } from './settings.ts';
import { TextReporter } from './text-reporter.ts';

/** How to compute and how to tell of it: nothing that the numbers depend on. */
export interface RunFlags extends BackendFlags {
  readonly saveSeconds?: number | undefined;
  /** In bytes. */
  readonly memoryLimit?: number | undefined;
  readonly report?: boolean | undefined;
  readonly json?: true | undefined;
}

export interface RunOptions {
  /** The command that goes on with the run once it is interrupted. */
  readonly resumeCommand: string;
  /** What is open already, and stays so; by default the run opens its own. */
  readonly backend?: Backend;
  /** What is loaded already. */
  readonly data?: Data;
  /** Who looks at the run while it is trained. */
  readonly watch?: OpenWatcher;
}

/** Sees every event of a run before the run's folder does, so that what it writes is never behind a checkpoint. */
export interface Watcher extends Disposable {
  see(event: TrainEvent): Promise<void>;
}

export type OpenWatcher = (backend: Backend, settings: Settings) => Promise<Watcher>;

/** How a run went, as far as it came. */
export interface Outcome {
  readonly exitCode: number;
  readonly result: TrainResult;
}

/** Opens the backend of runs with the same settings, whatever their seeds. */
export function openRunBackend(flags: BackendFlags, settings: Pick<Settings, 'lossScaling'>): Promise<Backend> {
  return openBackend({ ...flags, precision: precisionOf(settings) });
}

/** Trains a run to its end, or until it is interrupted, and writes down its results. */
export async function trainRun(run: PlannedRun, flags: RunFlags, options: RunOptions): Promise<Outcome> {
  const { folder, settings } = run;
  const { epochs } = settings.recipe;
  const endingOf = (result: TrainResult): Ending => ({
    result,
    folder,
    epochs,
    resumeCommand: options.resumeCommand,
    ...resultPaths(folder),
  });
  if (run.finished !== null && resultPaths(folder).card !== null) {
    sayFinished(run, run.finished);
    if (flags.json) new JsonReporter().end(endingOf(run.finished));
    return { exitCode: exitCodes.ok, result: run.finished };
  }
  const progress = flags.json ? noProgress : await createProgress();
  const reporter = flags.json ? new JsonReporter() : new TextReporter(progress);
  const interrupt = listenForInterrupt(
    'Stopping: the state is being saved. Ctrl-C once more quits at once.',
    (text) => {
      progress.clear();
      note(text);
    },
  );
  try {
    using own = options.backend === undefined ? await openRunBackend(flags, settings) : null;
    const backend = options.backend ?? (own as Backend);
    const data = options.data ?? (await loadRunData(run));
    const result =
      run.finished ??
      (await runEpochs(run, reporter, options.watch, {
        ...settings,
        imagesOn: settings.imagesOn ?? chooseImagesOn(backend, [data.train, data.test], settings.recipe.augmentation),
        backend,
        train: data.train,
        test: data.test,
        signal: interrupt.signal,
        checkpoint: run.checkpoint,
        memoryLimit: flags.memoryLimit,
        ...(flags.saveSeconds !== undefined && { saveSeconds: flags.saveSeconds }),
      }));
    if (!result.interrupted) {
      const { signal } = interrupt;
      await writeResults(folder, { ...run.dataOptions, backend, data, signal, progress, report: flags.report ?? true });
    }
    progress.done();
    reporter.end(endingOf(result));
    return { exitCode: result.interrupted ? (interrupt.exitCode ?? 0) : 0, result };
  } catch (error) {
    throw error instanceof DeviceLostError ? deviceLoss(error, run, options.resumeCommand) : error;
  } finally {
    progress.done();
    interrupt.release();
  }
}

/** Says that no epoch is left. */
function sayFinished({ folder, settings }: PlannedRun, result: TrainResult): void {
  const { epochs } = settings.recipe;
  const { epochsDone, callbacks } = result.checkpoint.training;
  note(
    callbacks.stopped
      ? `'${folder}' is finished: EarlyStopping ended it after ${epochsDone} of ${epochs} epochs.`
      : `'${folder}' is finished: all of its ${epochs} epochs are done. A larger --epochs trains longer.`,
  );
}

/** Trains, keeps what the run's folder keeps, and reports. */
async function runEpochs(
  run: PlannedRun,
  reporter: Reporter,
  watch: OpenWatcher | undefined,
  options: TrainOptions,
): Promise<TrainResult> {
  const directory = await run.open();
  using watcher = await watch?.(options.backend, run.settings);
  await removeResults(run.folder);
  const ending: { result?: TrainResult } = {};
  const events = (async function* () {
    ending.result = yield* trainModel(options);
  })();
  for await (const event of events) {
    await watcher?.see(event);
    await directory.record(event);
    report(reporter, event);
    // A backend that computes on this thread leaves no room for signals by itself.
    await nextTurn();
  }
  if (ending.result === undefined) throw new Error('training ended without a result');
  return ending.result;
}

function loadRunData({ dataOptions: { data, limitTrain, limitTest } }: PlannedRun): Promise<Data> {
  return loadData(data, { train: limitTrain, test: limitTest });
}
