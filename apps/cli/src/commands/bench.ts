import type { Command } from '@commander-js/extra-typings';
import { seconds, wholeNumber } from '../options.ts';
import { backendOption, convOption, gpuOption, jsonOption, precisionOption, threadsOption } from './shared.ts';

export function addBench(program: Command): void {
  program
    .command('bench')
    .description('measure images per second of inference and training on this machine')
    .option('--model <name>', 'network to measure', 'resnet20v1')
    .addOption(backendOption())
    .addOption(gpuOption())
    .addOption(precisionOption())
    .addOption(convOption())
    .addOption(threadsOption())
    .option('--batch <n>', 'images at a time', wholeNumber(1, 65_536), 128)
    .option('--seconds <s>', 'how long to measure each', seconds, 5)
    .option('--per-op', 'also time every op: milliseconds, share, GFLOP/s and GB/s')
    .addOption(jsonOption())
    .action(async (options) => {
      const { bench } = await import('../bench/run.ts');
      await bench(options);
    });
}
