import type { Command } from '@commander-js/extra-typings';
import { wholeNumbers } from '../options.ts';
import { jsonOption, weightsOption } from './shared.ts';

export function addSummary(program: Command): void {
  program
    .command('summary')
    .description('list the layers of a network, its parameters, its work and its memory')
    .argument('[model]', 'such as resnet20v1, he20, resnet50')
    .addOption(weightsOption())
    .option('--batch <list>', 'batch sizes to plan the memory for', wholeNumbers(1, 65_536), [1, 32, 128])
    .addOption(jsonOption())
    .action(async (model, options) => {
      const { summary } = await import('../summary/run.ts');
      await summary(model, options);
    });
}
