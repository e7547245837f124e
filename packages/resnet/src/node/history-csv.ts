import type { HistoryRecord } from '../checkpoint/checkpoint.ts';
import type { EpochRecord } from '../train/events.ts';

/** How fast an epoch went: in no checkpoint, since it depends on the clock. */
export type Timing = Pick<EpochRecord, 'imagesPerSecond' | 'seconds'>;

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

/** The history as CSV; the last two columns are blank where an epoch's timing is not known. */
export function historyCsv(history: readonly HistoryRecord[], timings: ReadonlyMap<number, Timing>): string {
  const rows = history.map(({ epoch, loss, accuracy, valLoss, valAccuracy, learningRate }) => {
    const timing = timings.get(epoch);
    const clock = timing === undefined ? ['', ''] : [timing.imagesPerSecond.toFixed(1), timing.seconds.toFixed(2)];
    return [epoch, loss, accuracy, valLoss, valAccuracy, learningRate, ...clock].join(',');
  });
  return [columns.join(','), ...rows, ''].join('\n');
}
