import { appendFile, mkdir, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic, type CurvePoint, type RunSink } from '@skiplane/resnet/node';
import { decodeEvent, encodeEvent, type TensorBoardEvent } from './event-schema.ts';
import { frameRecord, readRecords } from './record.ts';

/** What a file of events begins with, by which TensorBoard knows it. */
const fileVersion = 'brain.Event:2';

/**
 * `tensorboard/events.out.tfevents.…`: a step an epoch, with the scalars of the history.
 *
 * A process that goes on with a run goes on with its file, so that a TensorBoard that watches goes on, too: a record that
 * a kill has cut is taken off, and an epoch that is missing put there. A file that says anything else than the history is
 * written anew.
 */
export class TensorBoardLog implements RunSink {
  readonly #folder: string;
  #path = '';

  constructor(runFolder: string) {
    this.#folder = join(runFolder, 'tensorboard');
  }

  async open(curve: readonly CurvePoint[]): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const files = (await readdir(this.#folder)).filter((file) => file.includes('tfevents'));
    const [only] = files;
    if (only !== undefined && files.length === 1 && (await this.#goOn(join(this.#folder, only), curve))) return;
    await this.#begin(curve);
    for (const file of files) {
      const path = join(this.#folder, file);
      if (path !== this.#path) await rm(path, { force: true });
    }
  }

  async add(curve: readonly CurvePoint[]): Promise<void> {
    await appendFile(this.#path, frames(curve.slice(-1).map(scalars)));
  }

  /** False when the file does not have the epochs of the history, from the first one on. */
  async #goOn(path: string, curve: readonly CurvePoint[]): Promise<boolean> {
    const file = await readFile(path);
    const { records, bytes } = readRecords(file);
    const [first, ...events] = records.map(decodeEvent);
    const isPart = events.length <= curve.length && events.every(({ step }, i) => step === i + 1);
    if (first?.file_version !== fileVersion || curve.length === 0 || !isPart) return false;
    if (bytes < file.length) await truncate(path, bytes);
    await appendFile(path, frames(curve.slice(events.length).map(scalars)));
    this.#path = path;
    return true;
  }

  async #begin(curve: readonly CurvePoint[]): Promise<void> {
    const now = Date.now() / 1000;
    // TensorBoard reads the files of a folder in the order of their names.
    this.#path = join(this.#folder, `events.out.tfevents.${Math.floor(now)}.skiplane`);
    await writeFileAtomic(this.#path, frames([{ wall_time: now, file_version: fileVersion }, ...curve.map(scalars)]));
  }
}

function frames(events: readonly TensorBoardEvent[]): Uint8Array {
  return Buffer.concat(events.map((event) => frameRecord(encodeEvent(event))));
}

/** The scalars of an epoch, under Keras's names; where its time is not known, it is that of writing. */
function scalars(point: CurvePoint): TensorBoardEvent {
  const { epoch, loss, accuracy, valLoss, valAccuracy, learningRate, timing } = point;
  const values = {
    loss,
    accuracy,
    val_loss: valLoss,
    val_accuracy: valAccuracy,
    learning_rate: learningRate,
    ...(timing && { images_per_second: timing.imagesPerSecond }),
  };
  const value = Object.entries(values).map(([tag, simple_value]) => ({ tag, simple_value }));
  return { wall_time: timing?.time ?? Date.now() / 1000, step: epoch, summary: { value } };
}
