import { join } from 'node:path';
import { writeFileAtomic } from '@skiplane/resnet/node';
import { openBackend, type BackendFlags } from '../backends.ts';
import { loadTestData } from '../data/load.ts';
import { CommandError, errorMessage } from '../errors.ts';
import { checkFolderOf } from '../folder.ts';
import { note, printJson, printLine } from '../output.ts';
import { formatCount } from '../render/format.ts';
import { createProgress } from '../render/progress.ts';
import { runFolders } from '../seeds/series.ts';
import { resumedDataOptions } from '../train/run-options.ts';
import { reportPage } from './page.ts';
import { resultFiles } from './result-files.ts';
import { readRun, type RunReport } from './run-report.ts';
import { evaluateRun } from './test-evaluation.ts';

export interface ReportFlags extends BackendFlags {
  readonly data?: string | undefined;
  readonly to?: string | undefined;
  readonly json?: true | undefined;
}

/** `skiplane report`: one run, or several compared, as a page. */
export async function report(given: readonly string[], flags: ReportFlags): Promise<void> {
  const [first = '.'] = given;
  const to = flags.to ?? (given.length === 1 ? join(first, resultFiles.report) : resultFiles.report);
  if (flags.to !== undefined) checkFolderOf(to, '--to');
  const folders = (await Promise.all(given.map(runFolders))).flat();
  const runs: RunReport[] = [];
  for (const folder of folders) runs.push(await withEvaluation(await readRun(folder), flags));
  await writeFileAtomic(to, reportPage(runs));
  if (flags.json) printJson({ report: to, runs: folders });
  else printLine(`Report: ${to}`);
}

/** Looks at the test images, where a run has ended and nobody has. */
async function withEvaluation(run: RunReport, flags: ReportFlags): Promise<RunReport> {
  const { folder, evaluation, end } = run;
  if (evaluation !== null || end === null) return run;
  const { data: source, limitTest } = await resumedDataOptions(folder, { backend: flags.backend, data: flags.data });
  let data;
  try {
    data = await loadTestData(source, limitTest);
  } catch (error) {
    if (flags.data !== undefined || !(error instanceof CommandError)) throw error;
    note(`'${folder}': the test images are left out of the report: ${errorMessage(error)}`);
    return run;
  }
  const progress = await createProgress();
  try {
    using backend = await openBackend(flags);
    const made = await evaluateRun(folder, data, backend, {
      onProgress: (done, count) =>
        progress.update(done / count, `${formatCount(done)} of ${formatCount(count)} test images`),
    });
    return { ...run, evaluation: made };
  } finally {
    progress.done();
  }
}
