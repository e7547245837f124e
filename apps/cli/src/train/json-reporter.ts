import { join } from 'node:path';
import type { EpochEvent } from '@skiplane/resnet';
import { printJson } from '../output.ts';
import type { Ending, Reporter } from './reporter.ts';

/** One JSON object a line on stdout: `event: 'epoch'` for each epoch, and `event: 'end'` once. */
export class JsonReporter implements Reporter {
  start(): void {}

  progress(): void {}

  validation(): void {}

  epoch({ record }: EpochEvent): void {
    printJson({ event: 'epoch', ...record });
  }

  end({ result, folder, epochs }: Ending): void {
    const { best, interrupted, checkpoint } = result;
    printJson({
      event: 'end',
      interrupted,
      epochs,
      epochsDone: checkpoint.training?.epochsDone ?? 0,
      best,
      files: { last: join(folder, 'last.safetensors'), best: best === null ? null : join(folder, 'best.safetensors') },
    });
  }
}
