import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CurvePoint } from '@skiplane/resnet/node';
import { describe, expect, test } from 'vitest';
import { decodeEvent, encodeEvent, type TensorBoardEvent } from '../src/train/tensorboard/event-schema.ts';
import { frameRecord, readRecords } from '../src/train/tensorboard/record.ts';
import { TensorBoardLog } from '../src/train/tensorboard/tensorboard-log.ts';
import { temporaryFolder } from './cli.ts';

const point = (epoch: number, timed = true): CurvePoint => ({
  epoch,
  loss: 2 / epoch,
  accuracy: epoch / 8,
  valLoss: 3 / epoch,
  valAccuracy: epoch / 16,
  learningRate: 2 ** -10,
  timing: timed
    ? {
        imagesPerSecond: 128 * epoch,
        seconds: 5,
        time: 1e3 + epoch,
      }
    : null,
});

/** The events of a file, each record checked against its sums. */
function readEvents(file: Buffer): readonly TensorBoardEvent[] {
  const { records, bytes } = readRecords(file);
  expect(bytes).toBe(file.length);
  return records.map(decodeEvent);
}

const folderOf = (run: string): string => join(run, 'tensorboard');
function readOnly(run: string): readonly TensorBoardEvent[] {
  const files = readdirSync(folderOf(run));
  expect(files).toHaveLength(1);
  expect(files[0]).toMatch(/^events\.out\.tfevents\.\d{10}\.skiplane$/);
  return readEvents(readFileSync(join(folderOf(run), files[0] ?? '')));
}

const curveOf = (run: string) =>
  readOnly(run)
    .slice(1)
    .map(({ wall_time, step, summary }) => ({
      wall_time,
      step,
      ...Object.fromEntries((summary?.value ?? []).map(({ tag, simple_value }) => [tag, simple_value])),
    }));
const scalarsOf = ({ epoch, loss, accuracy, valLoss, valAccuracy, learningRate, timing }: CurvePoint) => ({
  wall_time: timing?.time,
  step: epoch,
  loss: Math.fround(loss),
  accuracy,
  val_loss: Math.fround(valLoss),
  val_accuracy: valAccuracy,
  learning_rate: learningRate,
  images_per_second: timing?.imagesPerSecond,
});

describe('TensorBoardLog', () => {
  test('writes the bytes that TensorBoard itself writes for an event', () => {
    const value = [
      { tag: 'loss', simple_value: 0.25 },
      { tag: 'val_accuracy', simple_value: 0.75 },
    ];
    const record = frameRecord(encodeEvent({ wall_time: 1.5, step: 3, summary: { value } }));
    // RecordWriter and Event of the Python package tensorboard 2.21.
    expect(Buffer.from(record).toString('hex')).toBe(
      '2f000000000000006d5d1d5009000000000000f83f10032a220a0b0a046c6f7373150000803e0a130a0c76616c5f6163637572616379150000403f5a7adabe',
    );
  });

  test('has the history, an epoch a step', async () => {
    const run = temporaryFolder();
    const log = new TensorBoardLog(run);
    await log.open([]);
    await log.add([point(1)]);
    await log.add([point(1), point(2)]);
    expect(readOnly(run)[0]).toMatchObject({ file_version: 'brain.Event:2' });
    expect(curveOf(run)).toEqual([point(1), point(2)].map(scalarsOf));
  });

  test('goes on in the same file after a resume: every epoch is there once, and no record that a kill has cut', async () => {
    const run = temporaryFolder();
    const killed = new TensorBoardLog(run);
    await killed.open([]);
    await killed.add([point(1)]);
    const [file = ''] = readdirSync(folderOf(run));
    const cut = frameRecord(encodeEvent({ wall_time: 1, step: 2 }));
    for (const bytes of [0, 5, 14, cut.length - 1]) {
      appendFileSync(join(folderOf(run), file), cut.subarray(0, bytes));
      const resumed = new TensorBoardLog(run);
      await resumed.open([point(1)]);
      expect(curveOf(run)).toEqual([scalarsOf(point(1))]);
    }
    // The checkpoint was safe, and the kill came before the record.
    const resumed = new TensorBoardLog(run);
    await resumed.open([point(1), point(2)]);
    await resumed.add([point(1), point(2), point(3)]);
    expect(curveOf(run)).toEqual([1, 2, 3].map((epoch) => scalarsOf(point(epoch))));
    expect(readdirSync(folderOf(run))).toEqual([file]);
  });

  test('begins anew where files say something else than the history', async () => {
    const run = temporaryFolder();
    const log = new TensorBoardLog(run);
    await log.open([point(1), point(2), point(3)]);
    await new TensorBoardLog(run).open([point(1)]);
    expect(curveOf(run)).toEqual([scalarsOf(point(1))]);
    writeFileSync(join(folderOf(run), 'events.out.tfevents.1000000000.skiplane'), 'an older one');
    await new TensorBoardLog(run).open([point(1), point(2)]);
    expect(curveOf(run)).toEqual([point(1), point(2)].map(scalarsOf));
    await new TensorBoardLog(run).open([]);
    expect(curveOf(run)).toEqual([]);
  });

  test('finds a record that was changed', () => {
    const record = frameRecord(new TextEncoder().encode('some data'));
    expect(readRecords(record)).toMatchObject({ bytes: record.length, records: [{ length: 9 }] });
    for (let at = 0; at < record.length; at++) {
      const damaged = record.with(at, (record[at] ?? 0) ^ 1);
      expect(readRecords(damaged), `byte ${at}`).toEqual({ records: [], bytes: 0 });
    }
  });

  test('leaves the speed out where it is not known', async () => {
    const run = temporaryFolder();
    mkdirSync(folderOf(run));
    await new TensorBoardLog(run).open([point(1, false)]);
    const [only] = curveOf(run);
    expect(only).toMatchObject({ step: 1, loss: 2 });
    expect(only).not.toHaveProperty('images_per_second');
  });
});
