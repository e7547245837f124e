import type { Command } from '@commander-js/extra-typings';
import { backendOption, dataOption, gpuOption, jsonOption, threadsOption } from './shared.ts';

export function addReport(program: Command): void {
  program
    .command('report')
    .description('show a run, or compare several, on one page without network or script')
    .argument('<folders...>', 'folders of runs, or of runs of several seeds')
    .option('--to <file>', "where to write it (default: report.html in the run's folder, or here for several)")
    .addOption(dataOption())
    .addOption(backendOption())
    .addOption(gpuOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(async (folders, options) => {
      const { report } = await import('../report/run.ts');
      await report(folders, options);
    });
}
