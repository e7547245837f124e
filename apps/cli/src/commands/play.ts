import type { Command } from '@commander-js/extra-typings';
import type { Finish } from '../program.ts';
import { openOption, portOption } from './shared.ts';

export function addPlay(program: Command, finish: Finish): void {
  program
    .command('play')
    .description('show the playground in the browser, served from this machine to this machine only; Ctrl-C ends it')
    .option('--watch <folder>', 'show a run, such as one that another terminal trains')
    .addOption(portOption())
    .addOption(openOption())
    .action(async (options) => {
      const { play } = await import('../play/run.ts');
      finish(await play(options));
    });
}
