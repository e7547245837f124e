import type { Command } from '@commander-js/extra-typings';
import { officialArchive } from '../data/archive.ts';
import { UsageError } from '../errors.ts';
import { httpUrl, sha256Sum, wholeNumber } from '../options.ts';
import type { Finish } from '../program.ts';
import { didYouMean } from '../suggest.ts';
import { dataOption, jsonOption } from './shared.ts';

export function addData(program: Command, finish: Finish): void {
  const data = program.command('data').description('show where data is looked for, or fetch it');
  data.enablePositionalOptions().allowExcessArguments();
  data.addOption(jsonOption()).action(async (options, command) => {
    const [unknown] = command.args;
    if (unknown !== undefined) {
      throw new UsageError(`unknown command 'data ${unknown}'.${didYouMean(unknown, ['download', 'picture'])}`);
    }
    const { listData } = await import('../data/list.ts');
    await listData(options);
  });
  data
    .command('download')
    .description('fetch the CIFAR-10 archive into the cache; goes on where it was stopped, and checks the sum')
    .option('--url <address>', 'where to fetch it', httpUrl, officialArchive.url)
    .option('--sha256 <sum>', 'the sum it must have', sha256Sum, officialArchive.sha256)
    .option('--to <folder>', "the folder to put it in (default: the user's cache folder)")
    .addOption(jsonOption())
    .action(async (options) => {
      const { downloadData } = await import('../data/download-command.ts');
      finish(await downloadData(options));
    });
  data
    .command('picture')
    .description('save a test image as a PNG file')
    .argument('<index>', 'its number in the test set, from 0', wholeNumber(0))
    .requiredOption('--to <file>', 'the file to write')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(async (index, options) => {
      const { savePicture } = await import('../data/picture.ts');
      await savePicture(index, options);
    });
}
