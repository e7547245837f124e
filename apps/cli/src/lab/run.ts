import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend } from '@skiplane/core';
import { labOf, modelConfig, netsOf, type Lab, type LabName } from '@skiplane/resnet';
import { writeFileAtomic } from '@skiplane/resnet/node';
import { loadData, type Data } from '../data/load.ts';
import { CommandError, errorMessage, exitCodes, UsageError } from '../errors.ts';
import { findModel } from '../model.ts';
import { note, printJson, printLine } from '../output.ts';
import { renderTable } from '../render/table.ts';
import { resultFiles } from '../report/result-files.ts';
import { programName, shellQuote } from '../shell.ts';
import { planFixed } from '../train/plan-run.ts';
import { resumedDataOptions, saveDataOptions, type DataOptions } from '../train/run-options.ts';
import { newSettings, type TrainFlags } from '../train/settings.ts';
import { openRunBackend, trainRun } from '../train/train-run.ts';
import { fitBudget } from './budget.ts';
import { isLabFolder, labFile, readLab, runFolder, writeLab, type LabPlan } from './lab-file.ts';
import { measuring } from './measurements.ts';
import { labPage } from './page.ts';
import { percent, publishedText } from './figures.ts';
import { readRuns, resultOf, type NetResult } from './results.ts';

/** The options of `skiplane lab`: those of `train` that fit, and its own. */
export interface LabFlags extends Omit<TrainFlags, 'model' | 'seed' | 'printRecipe' | 'report'> {
  readonly nets?: readonly string[] | undefined;
  /** Layers of the nets of shortcuts. */
  readonly depth?: number | undefined;
  /** In seconds. */
  readonly budget?: number | undefined;
}

interface OpenLab {
  readonly folder: string;
  readonly plan: LabPlan;
  readonly backend: Backend;
  readonly data: Data;
  readonly dataOptions: DataOptions;
}

/** What is known before anything is opened. */
type Planned = Pick<OpenLab, 'plan' | 'dataOptions'>;

const defaultSeeds = [1, 2];

/** `skiplane lab`: trains the nets of an experiment alike, then compares them. Returns the exit code. */
export async function lab(name: LabName, flags: LabFlags): Promise<number> {
  const folder = flags.out ?? join('runs', `lab-${name}`);
  const { plan, dataOptions } = flags.resume ? await planResumed(name, folder, flags) : planNew(name, folder, flags);
  // Before data, which take longer to be had: a wrong --gpu is told of at once, and leaves no folder. Kernels are compiled once.
  using backend = await openRunBackend(flags, plan);
  const data = await loadData(dataOptions.data, { train: dataOptions.limitTrain, test: dataOptions.limitTest });
  const open = { folder, plan, backend, data, dataOptions };
  const exitCode = await trainAll(flags.resume ? open : await begin(open, flags), flags);
  if (exitCode !== exitCodes.ok || flags.json) return exitCode;
  printLine(`Table: ${labFile(folder)}`);
  printLine(`Report: ${join(folder, resultFiles.report)}`);
  return exitCode;
}

function planNew(name: LabName, folder: string, flags: LabFlags): Planned {
  if (isLabFolder(folder)) {
    throw new CommandError(
      `'${folder}' holds a lab already. Go on with it by --resume, or choose another folder by --out.`,
    );
  }
  const nets = netsOfFlags(name, flags);
  const { recipe, imagesOn, lossScaling } = newSettings({ recipe: 'modern', ...given(flags) });
  const { depth, seeds = defaultSeeds } = flags;
  // The curves of the papers are of the test images. Nothing is chosen by them: the figures are those of the last epoch.
  const onTest = { ...recipe, validation: { kind: 'test' } as const };
  return {
    plan: { lab: name, depth, nets, seeds, recipe: onTest, imagesOn, lossScaling, budget: null },
    dataOptions: flags,
  };
}

/** Fits a new lab into its budget, and makes its folder. */
async function begin(open: OpenLab, flags: LabFlags): Promise<OpenLab> {
  const { folder, dataOptions } = open;
  const plan = flags.budget === undefined ? open.plan : await fitBudget(flags.budget, open);
  await mkdir(folder, { recursive: true });
  await saveDataOptions(folder, dataOptions);
  await writeLab(folder, plan, []);
  return { ...open, plan };
}

/** The lab that is there decides all but further seeds. */
async function planResumed(name: LabName, folder: string, flags: LabFlags): Promise<Planned> {
  if (!isLabFolder(folder)) {
    throw new CommandError(`cannot resume: '${folder}' holds no lab (no lab.json). Begin it without --resume.`);
  }
  const plan = await readLab(folder);
  const { recipe, set, epochs, batch, lr, augment, seeds, nets, depth, budget, dataOn, precision } = flags;
  const decided = { recipe, set, epochs, batch, lr, augment, nets, depth, budget, 'data-on': dataOn, precision };
  const problems = Object.entries(decided).flatMap(([option, value]) => (value === undefined ? [] : [`--${option}`]));
  if (problems.length > 0 || plan.lab !== name) {
    const what = plan.lab === name ? `with ${problems.join(', ')}` : `as ${name}`;
    throw new UsageError(
      `cannot resume '${folder}' ${what}: it is a lab ${plan.lab} with settings of its own. Leave it out.`,
    );
  }
  return {
    plan: { ...plan, seeds: moreSeeds(folder, plan, seeds) },
    dataOptions: await resumedDataOptions(folder, flags),
  };
}

/** A lab may get further seeds, but lose none that it has runs of. */
function moreSeeds(folder: string, plan: LabPlan, seeds: readonly number[] = plan.seeds): readonly number[] {
  if (plan.seeds.every((seed) => seeds.includes(seed))) return seeds;
  throw new UsageError(
    `cannot resume '${folder}' with --seeds ${seeds.join(',')}: its seeds are ${plan.seeds.join(', ')}, and more can only be added. Name those too, or leave it out.`,
  );
}

/** What was not given must not hide a default. */
function given(flags: LabFlags): TrainFlags {
  const { nets: _, budget: __, seeds: ___, depth: ____, ...train } = flags;
  return Object.fromEntries(Object.entries(train).filter(([, value]) => value !== undefined)) as unknown as TrainFlags;
}

function netsOfFlags(name: LabName, { nets: wanted, depth }: LabFlags): readonly string[] {
  const known = netsOf(experiment(name, depth)).map(({ model }) => model);
  if (wanted === undefined) return known;
  const models = wanted.map((net) => findModel(net).name);
  const others = models.filter((model) => !known.includes(model));
  if (others.length > 0) {
    throw new UsageError(`option '--nets' names ${others.join(', ')}, but the lab ${name} has ${known.join(', ')}.`);
  }
  return known.filter((model) => models.includes(model));
}

/** @throws {UsageError} where a depth is none of the nets */
function experiment(name: LabName, depth: number | undefined): Lab {
  try {
    const found = labOf(name, depth);
    for (const { model } of netsOf(found)) modelConfig(model);
    return found;
  } catch (error) {
    throw new UsageError(`option '--depth' is ${depth}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Trains every net with every seed: a seed of all nets, then the next, so that an early end leaves whole comparisons. */
async function trainAll(open: OpenLab, flags: LabFlags): Promise<number> {
  const { folder, plan, backend, data, dataOptions } = open;
  const { recipe, imagesOn, lossScaling } = plan;
  const runs = plan.seeds.flatMap((seed) => plan.nets.map((model) => ({ model, seed })));
  for (const [index, { model, seed }] of runs.entries()) {
    const own = runFolder(folder, model, seed);
    announce({ model, seed, index, count: runs.length, folder: own }, flags);
    const run = await planFixed(own, { model: findModel(model), recipe, seed, imagesOn, lossScaling }, dataOptions);
    const { exitCode, result } = await trainRun(
      run,
      { ...flags, report: false },
      { backend, data, resumeCommand: resumeCommand(folder, plan, flags), watch: measuring(own, data.train) },
    );
    if (result.interrupted) return exitCode;
    await writeResults(open);
  }
  tell(folder, await writeResults(open), flags);
  return exitCodes.ok;
}

/** The table and the page, of what there is so far. */
async function writeResults({ folder, plan, data }: OpenLab): Promise<readonly NetResult[]> {
  const nets = await readRuns(folder, plan);
  const results = nets.map(resultOf);
  await writeLab(folder, plan, results);
  await writeFileAtomic(
    join(folder, resultFiles.report),
    labPage({ plan, nets, results, train: data.train, test: data.test }),
  );
  return results;
}

interface Announced {
  readonly model: string;
  readonly seed: number;
  readonly index: number;
  readonly count: number;
  readonly folder: string;
}

function announce({ model, seed, index, count, folder }: Announced, { json }: LabFlags): void {
  if (json) printJson({ event: 'run', model, seed, index, count, folder });
  else printLine(`${index === 0 ? '' : '\n'}${model}, seed ${seed} (run ${index + 1} of ${count})`);
}

function tell(folder: string, results: readonly NetResult[], { json }: LabFlags): void {
  if (json)
    return printJson({
      event: 'lab',
      folder,
      table: labFile(folder),
      report: join(folder, resultFiles.report),
      results,
    });
  const rows = results.map(({ model, label, parameters, trainError, testError, published }) => [
    model,
    label,
    parameters.toLocaleString('en-US'),
    percent(trainError),
    percent(testError),
    publishedText(published),
  ]);
  const head = ['net', 'what it is', 'parameters', 'training error', 'test error', 'published'];
  printLine(`\n${renderTable({ head, align: ['left', 'left', 'right', 'right', 'right', 'right'], rows })}\n`);
  note(
    '(mean ± sample standard deviation over the seeds; published test errors are of whole trainings: see the report)',
  );
}

function resumeCommand(folder: string, { lab: name }: LabPlan, { backend, threads }: LabFlags): string {
  const chosen = backend === 'auto' ? [] : ['--backend', backend];
  const own = threads === undefined ? [] : ['--threads', String(threads)];
  return [programName(), ...['lab', name, '--resume', '--out', folder, ...chosen, ...own].map(shellQuote)].join(' ');
}
