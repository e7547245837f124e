import { Argument, type Command } from '@commander-js/extra-typings';
import type { LabName } from '@skiplane/resnet';
import { collect, distinct, duration, learningRate, names, seconds, wholeNumber } from '../options.ts';
import type { Finish } from '../program.ts';
import {
  backendOption,
  dataOption,
  dataOnOption,
  gpuOption,
  jsonOption,
  precisionOption,
  threadsOption,
} from './shared.ts';

/** Written down here, since the library is not loaded for a help text. */
const experiments = ['degradation', 'shortcuts', 'depth', 'highway'] as const satisfies readonly LabName[];

export function addLab(program: Command, finish: Finish): void {
  program
    .command('lab')
    .description('train the nets of an experiment alike, with several seeds, and compare them on one page')
    .addArgument(new Argument('<experiment>', 'what to compare').choices(experiments))
    .option(
      '--budget <time>',
      'such as 2h, 90m or 300s: all nets get as many epochs as fit, at most those of the recipe',
      duration,
    )
    .option('--epochs <n>', "passes over the training images (default: the recipe's)", wholeNumber(1))
    .option('--seeds <list>', 'a run of every net for each (default: 1,2)', distinct(0))
    .option('--nets <list>', 'only these nets of the experiment, such as he20,he56', names)
    .option('--recipe <name>', 'keras, he2015, he2015-warmup, modern, or a JSON file (default: modern)')
    .option('--set <path=value>', 'change one setting of the recipe; may be given again', collect)
    .option('--batch <n>', "images a step (default: the recipe's)", wholeNumber(1))
    .option(
      '--lr <rate>',
      "one learning rate, or 'keras' for the example's schedule (default: the recipe's)",
      learningRate,
    )
    .option('--augment', 'change the training images at random (default: as the recipe says)')
    .option('--no-augment', 'train on the images as they are')
    .option('--limit-train <n>', 'use only the first n training images', wholeNumber(1))
    .option('--limit-test <n>', 'use only the first n test images', wholeNumber(1))
    .option('--out <folder>', 'where the runs, lab.json and report.html are kept (default: runs/lab-<experiment>)')
    .option('--resume', 'go on with the lab in --out')
    .option('--save-seconds <n>', 'save the state this often within an epoch (default: 30)', seconds)
    .addOption(dataOption())
    .addOption(dataOnOption())
    .addOption(backendOption())
    .addOption(gpuOption())
    .addOption(precisionOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(async (experiment, options) => {
      const { lab } = await import('../lab/run.ts');
      finish(await lab(experiment, options));
    })
    .addHelpText('after', experimentsHelp);
}

const experimentsHelp = `
Experiments:
  degradation  plain and residual nets of 20 and 56 layers
  shortcuts    kinds of shortcut, and orders of normalization, activation and addition, of 56 layers
  depth        residual nets of 20 to 164 layers
  highway      gated layers without batch norm, and the same without gates`;
