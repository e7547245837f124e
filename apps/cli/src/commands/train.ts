import type { Command } from '@commander-js/extra-typings';
import { distinct, memory, wholeNumber } from '../options.ts';
import type { Finish } from '../program.ts';
import {
  augmentOption,
  backendOption,
  batchOption,
  convOption,
  dataOnOption,
  dataOption,
  epochsOption,
  gpuOption,
  jsonOption,
  limitTestOption,
  limitTrainOption,
  lrOption,
  noAugmentOption,
  openOption,
  portOption,
  precisionOption,
  recipeOption,
  saveSecondsOption,
  setOption,
  threadsOption,
} from './shared.ts';

/** Defaults are not given to the parser: a resumed run takes what is not given from its checkpoint. */
export function addTrain(program: Command, finish: Finish): void {
  program
    .command('train')
    .description('train a network and keep checkpoints; Ctrl-C saves and stops')
    .option('--model <name>', 'such as resnet20v1, resnet29v2, plain20, he20 (default: resnet20v1)')
    .addOption(recipeOption('keras'))
    .addOption(setOption())
    .option('--print-recipe', 'print the recipe as JSON, with all changes, and do not train')
    .addOption(backendOption())
    .addOption(gpuOption())
    .addOption(precisionOption())
    .addOption(convOption())
    .addOption(dataOption())
    .addOption(epochsOption())
    .addOption(batchOption())
    .addOption(lrOption())
    .addOption(augmentOption())
    .addOption(noAugmentOption())
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
    .addOption(limitTrainOption())
    .addOption(limitTestOption())
    .option('--out <folder>', 'where the run is kept (default: runs/<model>)')
    .option('--resume', 'go on with the run in --out')
    .addOption(saveSecondsOption())
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
