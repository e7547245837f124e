import { setImmediate as nextTurn } from 'node:timers/promises';
import { DeviceLostError } from '@skiplane/core';
import { train as trainModel, type TrainOptions, type TrainResult } from '@skiplane/resnet';
import { openBackend } from '../backends.ts';
import { loadData } from '../data/load.ts';
import { exitCodes } from '../errors.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { note } from '../output.ts';
import { createProgress, noProgress } from '../render/progress.ts';
import { deviceLoss } from './device-loss.ts';
import { chooseImagesOn } from './images-on.ts';
import { JsonReporter } from './json-reporter.ts';
import { planRun, resumeCommand, type PlannedRun } from './plan-run.ts';
import { report, type Reporter } from './reporter.ts';
import { precisionOf, type TrainFlags } from './settings.ts';
import { TextReporter } from './text-reporter.ts';

/** `skiplane train`. Returns the exit code. */
export async function train(flags: TrainFlags): Promise<number> {
  const run = await planRun(flags);
  const { folder, settings } = run;
  if (run.finished !== null) return reportFinished(run, run.finished, flags);
  const data = await loadData(run.dataOptions.data, {
    train: run.dataOptions.limitTrain,
    test: run.dataOptions.limitTest,
  });
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
    using backend = await openBackend({ ...flags, precision: precisionOf(settings) });
    const result = await runEpochs(run, reporter, {
      ...settings,
      imagesOn: settings.imagesOn ?? chooseImagesOn(backend, [data.train, data.test]),
      backend,
      train: data.train,
      validation: data.test,
      signal: interrupt.signal,
      checkpoint: run.checkpoint,
      ...(flags.saveSeconds !== undefined && { saveSeconds: flags.saveSeconds }),
    });
    progress.done();
    reporter.end({ result, folder, epochs: settings.epochs, resumeCommand: resumeCommand(folder, flags) });
    return result.interrupted ? (interrupt.exitCode ?? 0) : 0;
  } catch (error) {
    throw error instanceof DeviceLostError ? deviceLoss(error, run, flags) : error;
  } finally {
    progress.done();
    interrupt.release();
  }
}

/** Says that no epoch is left. */
function reportFinished({ folder, settings }: PlannedRun, result: TrainResult, flags: TrainFlags): number {
  const { epochs } = settings;
  note(`'${folder}' is finished: all of its ${epochs} epochs are done. A larger --epochs trains longer.`);
  if (flags.json) new JsonReporter().end({ result, folder, epochs, resumeCommand: resumeCommand(folder, flags) });
  return exitCodes.ok;
}

/** Trains, keeps what the run's folder keeps, and reports. */
async function runEpochs(run: PlannedRun, reporter: Reporter, options: TrainOptions): Promise<TrainResult> {
  const directory = await run.open();
  const ending: { result?: TrainResult } = {};
  const events = (async function* () {
    ending.result = yield* trainModel(options);
  })();
  for await (const event of events) {
    await directory.record(event);
    report(reporter, event);
    // A backend that computes on this thread leaves no room for signals by itself.
    await nextTurn();
  }
  if (ending.result === undefined) throw new Error('training ended without a result');
  return ending.result;
}
