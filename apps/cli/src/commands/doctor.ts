import type { Command } from '@commander-js/extra-typings';
import type { Finish } from '../program.ts';
import { jsonOption, threadsOption } from './shared.ts';

export function addDoctor(program: Command, finish: Finish): void {
  program
    .command('doctor')
    .description('tell what runs here, and check every operation against the oracle')
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(async (options) => {
      const { doctor } = await import('../doctor/run.ts');
      finish(await doctor(options));
    });
}
