import { Option, type Command } from '@commander-js/extra-typings';
import { fits } from '../images/fit.ts';
import { wholeNumber } from '../options.ts';
import {
  backendOption,
  convOption,
  dataOption,
  gpuOption,
  jsonOption,
  precisionOption,
  entryOption,
  preprocessOption,
  threadsOption,
  weightsOption,
} from './shared.ts';

export function addPredict(program: Command): void {
  program
    .command('predict')
    .description('say what is on pictures')
    .argument('<image...>', 'PNG, JPEG or WebP files of any size, folders of them, or - for standard input')
    .addOption(weightsOption().makeOptionMandatory())
    .addOption(preprocessOption())
    .addOption(entryOption())
    .addOption(dataOption())
    .option('--top <k>', 'classes to show for a picture', wholeNumber(1), 3)
    .addOption(
      new Option('--fit <how>', "fit other shapes to the model's: cut off the edges, add black ones, or distort")
        .choices(fits)
        .default('cover' as const),
    )
    .addOption(backendOption())
    .addOption(gpuOption())
    .addOption(precisionOption())
    .addOption(convOption())
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action(async (images, options) => {
      const { predict } = await import('../predict/run.ts');
      await predict(images, options);
    });
}
