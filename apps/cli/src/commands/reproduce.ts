import { Option, type Command } from '@commander-js/extra-typings';
import { backendName } from '../backend-names.ts';
import type { Finish } from '../program.ts';
import { dataOption, gpuOption, jsonOption, threadsOption } from './shared.ts';

export function addReproduce(program: Command, finish: Finish): void {
  program
    .command('reproduce')
    .description('repeat the run of a results card and compare; exit code 1 when bits differ that should not')
    .argument('<card>', "card.json of a run's folder")
    .addOption(dataOption())
    .addOption(new Option('--backend <name>', "as in 'train' (default: that of the card)").argParser(backendName))
    .addOption(gpuOption())
    .addOption(threadsOption())
    .option('--out <folder>', 'where the new run is kept, and gone on with (default: runs/reproduced-<weights>)')
    .addOption(jsonOption())
    .action(async (card, options) => {
      const { reproduce } = await import('../reproduce/run.ts');
      finish(await reproduce(card, options));
    });
}
