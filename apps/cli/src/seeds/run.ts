import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainResult } from '@skiplane/resnet';
import { writeFileAtomic } from '@skiplane/resnet/node';
import { loadData } from '../data/load.ts';
import { CommandError, exitCodes, UsageError } from '../errors.ts';
import { findModel } from '../model.ts';
import { note, printJson, printLine } from '../output.ts';
import { renderTable } from '../render/table.ts';
import { formatPercent } from '../render/format.ts';
import { resultFiles } from '../report/result-files.ts';
import { folderOf, holdsRun, planFixed, resumeCommand } from '../train/plan-run.ts';
import { resumedDataOptions, saveDataOptions, type DataOptions } from '../train/run-options.ts';
import { newSettings, type Settings, type TrainFlags } from '../train/settings.ts';
import { openRunBackend, trainRun } from '../train/train-run.ts';
import {
  isSeriesFolder,
  readSeries,
  runFolders,
  seedFolder,
  writeSeries,
  type SeedResult,
  type Series,
} from './series.ts';
import { distribution, type Distribution } from './statistics.ts';

/** Whether the options ask for runs of several seeds, or for going on with them. */
export function isSeries(flags: TrainFlags): boolean {
  return flags.seeds !== undefined || (flags.resume === true && isSeriesFolder(folderOf(flags)));
}

interface Plan {
  readonly folder: string;
  readonly settings: Omit<Settings, 'seed'>;
  readonly seeds: readonly number[];
  readonly dataOptions: DataOptions;
}

/** `skiplane train --seeds`: a run for every seed, one after the other, then their mean. Returns the exit code. */
export async function trainSeeds(flags: TrainFlags): Promise<number> {
  const { folder, settings, seeds, dataOptions } = await (flags.resume ? planResumed(flags) : planNew(flags));
  const common = { ...settings, model: settings.model.name, seeds };
  // Before data, which take longer to be had: a wrong --gpu is told of at once, and leaves no folder. Kernels are compiled once.
  using backend = await openRunBackend(flags, settings);
  const data = await loadData(dataOptions.data, { train: dataOptions.limitTrain, test: dataOptions.limitTest });
  await mkdir(folder, { recursive: true });
  await saveDataOptions(folder, dataOptions);
  await writeSeries(folder, { ...common, results: [], summary: null });
  const results: SeedResult[] = [];
  for (const [index, seed] of seeds.entries()) {
    const own = seedFolder(folder, seed);
    announce(seed, index, seeds.length, own, flags);
    const run = await planFixed(own, { ...settings, seed }, dataOptions);
    const resume = resumeCommand(folder, flags);
    const { exitCode, result } = await trainRun(run, flags, { backend, data, resumeCommand: resume });
    if (result.interrupted) return exitCode;
    results.push(resultOf(seed, result, own));
    await writeSeries(folder, {
      ...common,
      results,
      summary: results.length === seeds.length ? summaryOf(results) : null,
    });
  }
  tell(folder, { ...common, results, summary: summaryOf(results) }, flags);
  if (flags.report ?? true) await writeReport(folder, flags);
  return exitCodes.ok;
}

function planNew(flags: TrainFlags): Plan {
  if (flags.seed !== undefined) throw new UsageError('--seed and --seeds are both given: give one of them.');
  const folder = folderOf(flags);
  if (isSeriesFolder(folder) || holdsRun(folder)) {
    throw new CommandError(
      `'${folder}' holds runs already. Go on with them by --resume, or choose another folder by --out.`,
    );
  }
  const { model, recipe, imagesOn, lossScaling } = newSettings(flags);
  return { folder, settings: { model, recipe, imagesOn, lossScaling }, seeds: flags.seeds ?? [], dataOptions: flags };
}

/** The runs that are there decide all but the seeds, of which there may be more. */
async function planResumed(flags: TrainFlags): Promise<Plan> {
  const folder = folderOf(flags);
  if (!isSeriesFolder(folder)) {
    throw new CommandError(
      `cannot resume: '${folder}' holds no runs of several seeds (no seeds.json). Begin them without --resume.`,
    );
  }
  const { model, seeds, ...settings } = await readSeries(folder);
  const { epochs, batch, lr, augment, seed, dataOn, precision } = flags;
  const own = { recipe: flags.recipe, set: flags.set, epochs, batch, lr, augment, seed, 'data-on': dataOn, precision };
  const decided = Object.entries(own)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => `--${name}`);
  if (flags.model !== undefined && findModel(flags.model).name !== model) decided.unshift('--model');
  if (decided.length > 0) {
    throw new UsageError(
      `cannot resume '${folder}' with ${decided.join(', ')}: its runs have settings of their own. Leave it out.`,
    );
  }
  const dataOptions = await resumedDataOptions(folder, flags);
  return { folder, settings: { ...settings, model: findModel(model) }, seeds: flags.seeds ?? seeds, dataOptions };
}

function announce(seed: number, index: number, count: number, folder: string, { json }: TrainFlags): void {
  if (json) printJson({ event: 'seed', seed, index, count, folder });
  else printLine(`${index === 0 ? '' : '\n'}Seed ${seed} (${index + 1} of ${count})`);
}

function resultOf(seed: number, { test, best }: TrainResult, folder: string): SeedResult {
  if (test === null || best === null) throw new Error(`the run in '${folder}' has ended without a test`);
  return { seed, test, bestValidationAccuracy: best.valAccuracy };
}

function summaryOf(results: readonly SeedResult[]) {
  return {
    accuracy: distribution(results.map(({ test }) => test.accuracy)),
    loss: distribution(results.map(({ test }) => test.loss)),
  };
}

function tell(folder: string, { results, summary }: Series, { json }: TrainFlags): void {
  if (json) return printJson({ event: 'seeds', folder, results, ...summary });
  const rows = results.map(({ seed, test, bestValidationAccuracy }) => [
    String(seed),
    formatPercent(test.accuracy),
    test.loss.toFixed(4),
    formatPercent(bestValidationAccuracy),
  ]);
  const head = ['seed', 'test accuracy', 'test loss', 'best validation accuracy'];
  printLine(`\n${renderTable({ head, align: ['right', 'right', 'right', 'right'], rows })}\n`);
  if (summary === null) return;
  const { accuracy, loss } = summary;
  printLine(`Test accuracy: ${plusMinus(accuracy, 100, 2)} %, test loss: ${plusMinus(loss, 1, 4)}`);
  note(`(mean ± sample standard deviation over ${results.length} seeds)`);
}

function plusMinus({ mean, deviation }: Distribution, factor: number, digits: number): string {
  const spread = deviation === null ? '' : ` ± ${(deviation * factor).toFixed(digits)}`;
  return (mean * factor).toFixed(digits) + spread;
}

async function writeReport(folder: string, { json }: TrainFlags): Promise<void> {
  const { readRun } = await import('../report/run-report.ts');
  const { reportPage } = await import('../report/page.ts');
  const runs = await Promise.all((await runFolders(folder)).map(readRun));
  const path = join(folder, resultFiles.report);
  await writeFileAtomic(path, reportPage(runs));
  if (!json) printLine(`Report: ${path}`);
}
