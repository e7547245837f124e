import { recipeNotes, type CallbackMessageEvent, type EpochEvent, type StartEvent } from '@skiplane/resnet';
import { runFiles } from '@skiplane/resnet/node';
import { printJson } from '../output.ts';
import type { Ending, Reporter } from './reporter.ts';

/**
 * One JSON object a line on stdout: `event: 'start'` with the recipe, `event: 'epoch'` for each epoch, `event: 'message'` for
 * what a callback says, and `event: 'end'`.
 */
export class JsonReporter implements Reporter {
  start({ model, recipe, seed, trainCount, validationCount, epoch, step, steps, memory }: StartEvent): void {
    const counts = { trainCount, validationCount, epoch, step, steps, ...(memory !== null && { memory }) };
    printJson({ event: 'start', model: model.name, recipe, notes: recipeNotes(recipe), seed, ...counts });
  }

  progress(): void {}

  validation(): void {}

  epoch({ record, peakBytes }: EpochEvent): void {
    printJson({ event: 'epoch', ...record, ...(peakBytes !== null && { peakBytes }) });
  }

  message({ epoch, level, text }: CallbackMessageEvent): void {
    printJson({ event: 'message', epoch, level, text });
  }

  /** The end has it. */
  tested(): void {}

  end({ result, folder, epochs, card, report }: Ending): void {
    const { best, test, interrupted, checkpoint } = result;
    const { training } = checkpoint;
    const files = runFiles(folder);
    printJson({
      event: 'end',
      interrupted,
      epochs,
      epochsDone: training?.epochsDone ?? 0,
      best,
      test,
      restoredEpoch: training?.end?.restoredEpoch ?? null,
      recipe: training?.settings.recipe,
      files: {
        last: files.last,
        best: best === null ? null : files.best,
        card,
        report,
      },
    });
  }
}
