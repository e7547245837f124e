import { join } from 'node:path';
import type { GpuDeviceOptions } from '@skiplane/kernels-gpu';
import { datasetIdentity } from '@skiplane/resnet';
import { readCard, type ResultsCard } from '@skiplane/resnet/node';
import { backendNames, type BackendName } from '../backend-names.ts';
import { buildIdentity } from '../build-identity.ts';
import { loadData, type Data } from '../data/load.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { note, printJson, printLine } from '../output.ts';
import { formatGpuAdapter } from '../gpu-adapter.ts';
import { formatCount } from '../render/format.ts';
import { renderTable } from '../render/table.ts';
import { resultFiles } from '../report/result-files.ts';
import { programName, shellQuote } from '../shell.ts';
import { planFixed } from '../train/plan-run.ts';
import { openRunBackend, trainRun } from '../train/train-run.ts';
import { readVersion } from '../version.ts';
import { compareCards, type Comparison } from './compare.ts';

export interface ReproduceFlags {
  readonly data?: string | undefined;
  readonly backend?: BackendName | undefined;
  readonly threads?: number | undefined;
  readonly gpu?: GpuDeviceOptions | undefined;
  readonly out?: string | undefined;
  readonly json?: true | undefined;
}

/** `skiplane reproduce`. Returns the exit code: 1 when bits differ that were promised to be the same. */
export async function reproduce(cardPath: string, flags: ReproduceFlags): Promise<number> {
  const card = await readCard(cardPath);
  const folder = flags.out ?? join('runs', `reproduced-${card.weights.last.slice(0, 12)}`);
  const { model, recipe, seed, evaluationBatchSize, imagesOn, lossScaling, parts } = card;
  if (recipe.validation.kind === 'given') {
    throw new CommandError(`'${cardPath}' is of a run with validation images of its own, which a card does not hold.`);
  }
  await warnOfVersions(card);
  const runFlags = {
    backend: flags.backend ?? cardBackend(card),
    threads: flags.threads,
    gpu: flags.gpu,
    json: flags.json,
  };
  // Before data, which take longer to be had: a wrong --gpu is told of at once.
  using backend = await openRunBackend(runFlags, card);
  const options = dataOptions(card, flags.data);
  const data = await loadData(options.data, { train: options.limitTrain, test: options.limitTest });
  await checkData(cardPath, card, data);
  const settings = { model, recipe, seed, evaluationBatchSize, imagesOn, lossScaling, parts };
  const run = await planFixed(folder, settings, options);
  const { result, exitCode } = await trainRun(run, runFlags, {
    backend,
    data,
    resumeCommand: sameCommand(cardPath, folder, flags),
  });
  if (result.interrupted) return exitCode;
  const comparison = compareCards(card, await readCard(join(folder, resultFiles.card)));
  return tell(comparison, folder, flags);
}

function cardBackend({ backend: { name } }: ResultsCard): BackendName {
  const known = backendNames.find((candidate) => candidate === name);
  if (known !== undefined) return known;
  throw new CommandError(
    `the card is of the backend '${name}', which is not here: choose another by --backend (${backendNames.join(', ')}).`,
  );
}

function dataOptions({ data: { source, limitTrain, limitTest } }: ResultsCard, given: string | undefined) {
  return {
    data: given ?? (source === 'synthetic' ? source : undefined),
    limitTrain: limitTrain ?? undefined,
    limitTest: limitTest ?? undefined,
  };
}

/** Before anything is computed. */
async function checkData(path: string, card: ResultsCard, data: Data): Promise<void> {
  const problems: string[] = [];
  for (const part of ['train', 'test'] as const) {
    const [{ sha256, count, name }, given] = [card.data[part], data[part]];
    const identity = await datasetIdentity(given);
    if (identity === sha256) continue;
    problems.push(
      `its ${part} images are ${formatCount(count)} of '${name}' with SHA-256 ${sha256.slice(0, 12)}…, but those given are ${formatCount(given.count)} of '${given.name}' with ${identity.slice(0, 12)}…`,
    );
  }
  if (problems.length === 0) return;
  throw new CommandError(
    `cannot reproduce '${path}' with other data: ${problems.join('; ')}. Give the data of the card by --data.`,
  );
}

async function warnOfVersions({ backend, versions: { skiplane, build, node, v8 } }: ResultsCard): Promise<void> {
  const [version, own] = [readVersion(), await buildIdentity(backend.name)];
  if (skiplane !== version || build !== own) {
    note(
      `warning: the card is of skiplane ${skiplane} (build ${build.slice(0, 12)}), this is ${version} (build ${own.slice(0, 12)}): other bits are to be expected.`,
    );
  }
  if (v8 !== process.versions.v8) {
    note(
      `warning: the card is of Node ${node} with V8 ${v8}, this is Node ${process.versions.node} with V8 ${process.versions.v8}.`,
    );
  }
}

function tell(
  { rows, reasons, sameBits, accuracyDifference }: Comparison,
  folder: string,
  { json }: ReproduceFlags,
): number {
  const promised = reasons.length === 0;
  const failed = promised && !sameBits;
  if (json) {
    printJson({
      event: 'comparison',
      promised,
      sameBits,
      reproduced: !failed,
      accuracyDifference,
      reasons,
      rows,
      folder,
    });
    return failed ? exitCodes.failure : exitCodes.ok;
  }
  const cells = rows.map(({ what, card, here, same }) => [what, short(card), short(here), same ? 'same' : 'DIFFERENT']);
  printLine(
    `\n${renderTable({ head: ['what', 'card', 'here', ''], align: ['left', 'left', 'left', 'left'], rows: cells })}\n`,
  );
  for (const reason of reasons) printLine(`Not promised to be the same bits: ${reason}.`);
  printLine(verdict(sameBits, promised, accuracyDifference));
  return failed ? exitCodes.failure : exitCodes.ok;
}

/** A SHA-256 in as many digits as tell one from another. */
function short(text: string): string {
  return /^[0-9a-f]{64}$/u.test(text) ? `${text.slice(0, 16)}…` : text;
}

function verdict(sameBits: boolean, promised: boolean, difference: number | null): string {
  if (sameBits) return promised ? 'Reproduced: the same bits, as promised.' : 'Reproduced: the same bits.';
  const points = difference === null ? '' : ` ${accuracyText(difference)}`;
  return promised
    ? `NOT reproduced: on this program and device the bits were promised to be the same.${points}`
    : `Repeated with other bits.${points}`;
}

function accuracyText(difference: number): string {
  if (difference === 0) return 'The test accuracy is the same.';
  const points = (Math.abs(difference) * 100).toFixed(2);
  return `The test accuracy is ${points} points ${difference < 0 ? 'lower' : 'higher'}.`;
}

/** Given once more, it goes on with an interrupted repetition. */
function sameCommand(card: string, folder: string, { data, backend, threads, gpu }: ReproduceFlags): string {
  const adapter = gpu && formatGpuAdapter(gpu);
  const given = Object.entries({ data, backend, threads, gpu: adapter }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, String(value)],
  );
  return [programName(), ...['reproduce', card, '--out', folder, ...given].map(shellQuote)].join(' ');
}
