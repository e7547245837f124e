import type { Command } from '@commander-js/extra-typings';
import { wholeNumber } from '../options.ts';
import {
  backendOption,
  convOption,
  dataOption,
  gpuOption,
  jsonOption,
  precisionOption,
  entryOption,
  preprocessOption,
  threadsOption,
  weightsOption,
} from './shared.ts';

export function addEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('measure weights on the test images')
    .addOption(weightsOption().makeOptionMandatory())
    .addOption(preprocessOption())
    .addOption(entryOption())
    .addOption(dataOption())
    .addOption(backendOption())
    .addOption(gpuOption())
    .addOption(precisionOption())
    .addOption(convOption())
    .addOption(threadsOption())
    .option('--batch <n>', 'images at a time', wholeNumber(1), 128)
    .option('--limit <n>', 'use only the first n test images', wholeNumber(1))
    .option('--top <k>', 'count the images whose class is among the k likeliest, too', wholeNumber(1))
    .option('--flip', 'look at every image and its mirror image, and take the mean')
    .option('--save-predictions <file>', 'write one class index a line, in the order of the data')
    .addOption(jsonOption())
    .action(async (options) => {
      const { evaluate } = await import('../evaluate/run.ts');
      await evaluate(options);
    });
}
