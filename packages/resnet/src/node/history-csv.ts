import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CurvePoint, RunSink } from './run-sink.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

const columns = [
  'epoch',
  'loss',
  'accuracy',
  'val_loss',
  'val_accuracy',
  'learning_rate',
  'images_per_second',
  'seconds',
];

/** `history.csv`: a line an epoch; the last two columns are blank where an epoch's timing is not known. */
export class HistoryCsv implements RunSink {
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, 'history.csv');
  }

  async open(curve: readonly CurvePoint[]): Promise<void> {
    if (curve.length === 0) await rm(this.#path, { force: true });
    else await this.add(curve);
  }

  async add(curve: readonly CurvePoint[]): Promise<void> {
    await writeFileAtomic(this.#path, historyCsv(curve));
  }
}

function historyCsv(curve: readonly CurvePoint[]): string {
  const rows = curve.map(({ epoch, loss, accuracy, valLoss, valAccuracy, learningRate, timing }) => {
    const clock = timing === null ? ['', ''] : [timing.imagesPerSecond.toFixed(1), timing.seconds.toFixed(2)];
    return [epoch, loss, accuracy, valLoss, valAccuracy, learningRate, ...clock].join(',');
  });
  return [columns.join(','), ...rows, ''].join('\n');
}
