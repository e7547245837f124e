import { readFile } from 'node:fs/promises';
import type { HistoryRecord } from '../checkpoint/checkpoint.ts';
import type { CSVLoggerSettings } from '../recipe/callbacks.ts';
import { csvLines, type EpochLogs } from '../train/callbacks/csv-logger.ts';
import { errorCode, storageError } from './storage-error.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

/** The file of a CSVLogger: whole after every epoch, with what a run that was killed had not written. */
export class CsvLog {
  readonly #path: string;
  readonly #settings: CSVLoggerSettings;
  /** What the file held before the run. */
  #before: string | undefined;

  constructor(path: string, settings: CSVLoggerSettings) {
    this.#path = path;
    this.#settings = settings;
  }

  /** @param resumed  true when the run may have written to the file before */
  async write(history: readonly HistoryRecord[], resumed: boolean): Promise<void> {
    const [header = '', ...rows] = csvLines(history.map(logsOf), this.#settings);
    this.#before ??= this.#settings.append ? without(await this.#read(), resumed ? rows : []) : '';
    await writeFileAtomic(this.#path, (this.#before === '' ? header : this.#before) + rows.join(''));
  }

  async #read(): Promise<string> {
    try {
      return await readFile(this.#path, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return '';
      throw storageError('cannot read', this.#path, error);
    }
  }
}

/** A file without the rows that the run has written itself: all of them, or all that there were before the last. */
function without(content: string, rows: readonly string[]): string {
  const own = [rows.join(''), rows.slice(0, -1).join('')].find((text) => text !== '' && content.endsWith(text)) ?? '';
  return content.slice(0, content.length - own.length);
}

/** An epoch under Keras's names. */
function logsOf({ accuracy, learningRate, loss, valAccuracy, valLoss }: HistoryRecord): EpochLogs {
  return { accuracy, learning_rate: learningRate, loss, val_accuracy: valAccuracy, val_loss: valLoss };
}
