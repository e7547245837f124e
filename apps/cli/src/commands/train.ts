import type { Command } from '@commander-js/extra-typings';
import { collect, distinct, learningRate, memory, seconds, wholeNumber } from '../options.ts';
import type { Finish } from '../program.ts';
import {
  backendOption,
  convOption,
  dataOnOption,
  dataOption,
  gpuOption,
  jsonOption,
  openOption,
  portOption,
  precisionOption,
  threadsOption,
} from './shared.ts';

/** Defaults are not given to the parser: a resumed run takes what is not given from its checkpoint. */
export function addTrain(program: Command, finish: Finish): void {
  program
    .command('train')
    .description('train a network and keep checkpoints; Ctrl-C saves and stops')
    .option('--model <name>', 'such as resnet20v1, resnet29v2, plain20, he20 (default: resnet20v1)')
    .option('--recipe <name>', 'keras, he2015, he2015-warmup, modern, or a JSON file (default: keras)')
    .option('--set <path=value>', 'change one setting of the recipe; may be given again', collect)
    .option('--print-recipe', 'print the recipe as JSON, with all changes, and do not train')
    .addOption(backendOption())
    .addOption(gpuOption())
    .addOption(precisionOption())
    .addOption(convOption())
    .addOption(dataOption())
    .option('--epochs <n>', "passes over the training images (default: the recipe's)", wholeNumber(1))
    .option('--batch <n>', "images a step (default: the recipe's)", wholeNumber(1))
    .option(
      '--lr <rate>',
      "one learning rate, or 'keras' for the example's schedule (default: the recipe's)",
      learningRate,
    )
    .option('--augment', 'change the training images at random (default: as the recipe says)')
    .option('--no-augment', 'train on the images as they are')
    .option('--seed <n>', 'seed of everything random (default: 1)', wholeNumber(0))
    .option(
      '--seeds <list>',
      'a run for each of several seeds, such as 1,2,3, and the mean of their results',
      distinct(0),
    )
    .addOption(threadsOption())
    .addOption(dataOnOption())
    .option(
      '--memory-limit <bytes>',
      'most device memory, such as 3GB: activations that do not fit are recomputed, to the same bits',
      memory,
    )
    .option('--limit-train <n>', 'use only the first n training images', wholeNumber(1))
    .option('--limit-test <n>', 'use only the first n test images', wholeNumber(1))
    .option('--out <folder>', 'where the run is kept (default: runs/<model>)')
    .option('--resume', 'go on with the run in --out')
    .option('--save-seconds <n>', 'save the state this often within an epoch (default: 30)', seconds)
    .option('--no-report', 'do not make report.html at the end')
    .option('--watch', 'show the run in the browser while it trains')
    .addOption(portOption())
    .addOption(openOption())
    .addOption(jsonOption())
    .action(async (options) => {
      const { train } = await import('../train/run.ts');
      finish(await train(options));
    })
    .addHelpText('after', recipeHelp);
}

const recipeHelp = `
A recipe is data: every setting can be changed by its path, or by a file that names what it changes.
  --set optimizer.momentum=0.8 --set augmentation=none --set learningRate.peak=0.1
  {"extends": "he2015", "epochs": 20, "optimizer": {"nesterov": true}}`;
