import { Option, type Command } from '@commander-js/extra-typings';
import { learningRate, seconds, wholeNumber } from '../options.ts';
import type { Finish } from '../program.ts';
import { backendOption, dataOption, gpuOption, jsonOption, precisionOption, threadsOption } from './shared.ts';

/** Defaults are not given to the parser: a resumed run takes what is not given from its checkpoint. */
export function addTrain(program: Command, finish: Finish): void {
  program
    .command('train')
    .description('train a network and keep checkpoints; Ctrl-C saves and stops')
    .option('--model <name>', 'such as resnet20v1, resnet29v2, plain20 (default: resnet20v1)')
    .addOption(backendOption())
    .addOption(gpuOption())
    .addOption(precisionOption())
    .addOption(dataOption())
    .option('--epochs <n>', 'passes over the training images (default: 200)', wholeNumber(1))
    .option('--batch <n>', 'images a step (default: 32)', wholeNumber(1))
    .option('--lr <rate>', "learning rate, or 'keras' for the example's schedule (default: keras)", learningRate)
    .option('--augment', 'shift and flip the training images at random (default)')
    .option('--no-augment', 'train on the images as they are')
    .option('--seed <n>', 'seed of everything random (default: 1)', wholeNumber(0))
    .addOption(threadsOption())
    .addOption(
      new Option(
        '--data-on <place>',
        'host, or device: all images are copied there once (default: device on gpu where they fit, else host)',
      ).choices(['host', 'device'] as const),
    )
    .option('--limit-train <n>', 'use only the first n training images', wholeNumber(1))
    .option('--limit-test <n>', 'validate on only the first n test images', wholeNumber(1))
    .option('--out <folder>', 'where the run is kept (default: runs/<model>)')
    .option('--resume', 'go on with the run in --out')
    .option('--save-seconds <n>', 'save the state this often within an epoch (default: 30)', seconds)
    .addOption(jsonOption())
    .action(async (options) => {
      const { train } = await import('../train/run.ts');
      finish(await train(options));
    });
}
