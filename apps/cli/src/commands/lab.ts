import { Argument, type Command } from '@commander-js/extra-typings';
import type { LabName } from '@skiplane/resnet';
import { distinct, duration, names, wholeNumber } from '../options.ts';
import type { Finish } from '../program.ts';
import {
  augmentOption,
  backendOption,
  batchOption,
  dataOnOption,
  dataOption,
  epochsOption,
  gpuOption,
  jsonOption,
  limitTestOption,
  limitTrainOption,
  lrOption,
  noAugmentOption,
  precisionOption,
  recipeOption,
  saveSecondsOption,
  setOption,
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
    .addOption(epochsOption())
    .option('--seeds <list>', 'a run of every net for each; with --resume, more of them (default: 1,2)', distinct(0))
    .option(
      '--depth <n>',
      'layers of the nets of shortcuts, such as 110, of which the published errors are (default: 56)',
      wholeNumber(1),
    )
    .option('--nets <list>', 'only these nets of the experiment, such as he20,he56', names)
    .addOption(recipeOption('modern'))
    .addOption(setOption())
    .addOption(batchOption())
    .addOption(lrOption())
    .addOption(augmentOption())
    .addOption(noAugmentOption())
    .addOption(limitTrainOption())
    .addOption(limitTestOption())
    .option('--out <folder>', 'where the runs, lab.json and report.html are kept (default: runs/lab-<experiment>)')
    .option('--resume', 'go on with the lab in --out')
    .addOption(saveSecondsOption())
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
  shortcuts    kinds of shortcut, and orders of normalization, activation and addition, of 56 layers, or of --depth
  depth        residual nets of 20 to 164 layers
  highway      gated layers without batch norm, and the same without gates`;
