import { Option, type Command } from '@commander-js/extra-typings';
import { UsageError } from '../errors.ts';
import { wholeNumber } from '../options.ts';
import type { Finish } from '../program.ts';
import { gpuOption, jsonOption, threadsOption } from './shared.ts';

const diffOption = () =>
  new Option(
    '--diff <backends...>',
    'compare two backends, op by op, on a training step of a network, and find the first op that is wrong on either',
  ).choices(['wasm', 'gpu', 'reference'] as const);

export function addDoctor(program: Command, finish: Finish): void {
  program
    .command('doctor')
    .description('tell what runs here, and check every operation against the oracle')
    .addOption(threadsOption())
    .addOption(gpuOption())
    .addOption(diffOption())
    .option('--model <name>', 'with --diff: network to compare on (default: resnet20v1)')
    .option('--weights <file>', 'with --diff: weights to compare on, inference with it too')
    .option('--batch <n>', 'with --diff: images in a step (default: 4)', wholeNumber(1, 65_536))
    .option('--seed <n>', 'with --diff: seed of images and parameters (default: 1)', wholeNumber(0))
    .addOption(jsonOption())
    .action(async ({ diff, model, weights, batch, seed, ...options }) => {
      if (diff !== undefined) {
        const { doctorDiff } = await import('../doctor/diff/run.ts');
        finish(await doctorDiff({ diff, model, weights, batch, seed, ...options }));
        return;
      }
      for (const [name, value] of Object.entries({ model, weights, batch, seed })) {
        if (value !== undefined) throw new UsageError(`option '--${name}' is for '--diff <a> <b>' only: leave it out.`);
      }
      const { doctor } = await import('../doctor/run.ts');
      finish(await doctor(options));
    });
}
