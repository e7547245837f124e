import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend } from '@skiplane/core';
import { resultsCard, writeCard, writeFileAtomic } from '@skiplane/resnet/node';
import { buildIdentity } from '../build-identity.ts';
import type { Data } from '../data/load.ts';
import { note } from '../output.ts';
import { formatCount } from '../render/format.ts';
import type { Progress } from '../render/progress.ts';
import { resultFiles } from '../report/result-files.ts';
import { readVersion } from '../version.ts';

export interface ResultsOptions {
  readonly backend: Backend;
  readonly data: Data;
  readonly limitTrain?: number | undefined;
  readonly limitTest?: number | undefined;
  /** Whether to make the report, for which the test images are looked at one by one. */
  readonly report: boolean;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Writes the results of a run that has ended: its card, and its report. */
export async function writeResults(folder: string, options: ResultsOptions): Promise<void> {
  const { backend, data, limitTrain = null, limitTest = null } = options;
  const card = await resultsCard(folder, {
    backend,
    train: data.train,
    test: data.test,
    data: {
      source: data.source,
      limitTrain,
      limitTest,
    },
    versions: {
      skiplane: readVersion(),
      build: await buildIdentity(backend.name),
    },
  });
  await writeCard(join(folder, resultFiles.card), card);
  if (options.report) await writeReport(folder, options);
}

async function writeReport(folder: string, { backend, data, signal, progress }: ResultsOptions): Promise<void> {
  // The report draws on large libraries, which a command that makes none does not wait for.
  const { evaluateRun } = await import('../report/test-evaluation.ts');
  const { readRun } = await import('../report/run-report.ts');
  const { reportPage } = await import('../report/page.ts');
  try {
    await evaluateRun(folder, data.test, backend, {
      signal,
      onProgress: (done, count) =>
        progress.update(done / count, `report: ${formatCount(done)} of ${formatCount(count)} test images`),
    });
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    progress.clear();
    note(`The report is left out; 'skiplane report' makes it.`);
    return;
  }
  await writeFileAtomic(join(folder, resultFiles.report), reportPage([await readRun(folder)]));
}

/** Removes what a run that goes on has outgrown. */
export async function removeResults(folder: string): Promise<void> {
  for (const file of Object.values(resultFiles)) await rm(join(folder, file), { force: true });
}

/** The files of results that a folder has. */
export function resultPaths(folder: string): { readonly card: string | null; readonly report: string | null } {
  const path = (file: string): string | null => (existsSync(join(folder, file)) ? join(folder, file) : null);
  return { card: path(resultFiles.card), report: path(resultFiles.report) };
}
