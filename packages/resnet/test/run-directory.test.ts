import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FormatError, ValueError } from '@skiplane/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { train, type TrainOptions } from '../src/index.ts';
import { loadCheckpoint, RunDirectory, saveCheckpoint, StorageError, writeFileAtomic } from '../src/node/index.ts';
import { Crash, faults, noFaults } from './support/crashing-fs.ts';
import { digest } from './support/digest.ts';
import { first, runAll, tinyOptions, tinyTrain } from './support/tiny.ts';

vi.mock('node:fs/promises', async (importOriginal) => {
  const { crashingFs } = await import('./support/crashing-fs.ts');
  return crashingFs(await importOriginal());
});

let folder = '';
beforeEach(async () => {
  noFaults();
  folder = await mkdtemp(join(tmpdir(), 'skiplane-run-'));
});
afterEach(async () => {
  noFaults();
  await rm(folder, { recursive: true, force: true });
});

const options = (changes: Partial<TrainOptions> = {}) =>
  tinyOptions({ train: first(tinyTrain, 7), saveSeconds: 0, ...changes });

/** Trains into a run directory until the end. */
async function trainInto(run: RunDirectory, changes: Partial<TrainOptions> = {}): Promise<void> {
  for await (const event of train(options({ ...changes, checkpoint: run.checkpoint }))) await run.record(event);
}

const pathOf = (name: string): string => join(folder, name);

/** Digests of what ModelCheckpoint has written, by name. */
async function savedModels(): Promise<Record<string, string>> {
  const names = (await readdir(pathOf('saved_models'))).toSorted();
  const read = async (name: string) => [name, digest(await readFile(join(pathOf('saved_models'), name)))] as const;
  return Object.fromEntries(await Promise.all(names.map(read)));
}

interface LoggedLine {
  readonly type: string;
  readonly epochsDone: number;
  readonly globalStep: number;
  readonly record?: { readonly epoch: number };
}
const logged = async (): Promise<LoggedLine[]> =>
  (await readFile(pathOf('events.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as LoggedLine);

describe('writeFileAtomic', () => {
  it('writes and replaces', async () => {
    await writeFileAtomic(pathOf('a.txt'), 'one');
    await writeFileAtomic(pathOf('a.txt'), new TextEncoder().encode('two'));
    expect(await readFile(pathOf('a.txt'), 'utf8')).toBe('two');
    expect(await readdir(folder)).toEqual(['a.txt']);
  });

  it('leaves the old file and no temporary one when the disk is full', async () => {
    await writeFileAtomic(pathOf('a.txt'), 'old');
    faults.diskFull = true;
    const error = await writeFileAtomic(pathOf('a.txt'), 'new content').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(StorageError);
    expect((error as StorageError).message).toBe(
      `cannot write '${pathOf('a.txt')}': the disk is full; free some space and try again.`,
    );
    expect(await readFile(pathOf('a.txt'), 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['a.txt']);
  });

  it('says when the folder is not there', async () => {
    await expect(writeFileAtomic(join(folder, 'none', 'a.txt'), 'x')).rejects.toThrow('it does not exist');
  });
});

describe('checkpoint files', () => {
  it('come back as they were', async () => {
    const { result } = await runAll(options({ epochs: 1 }));
    await saveCheckpoint(pathOf('c.safetensors'), result.checkpoint);
    expect(digest(await loadCheckpoint(pathOf('c.safetensors')))).toBe(digest(result.checkpoint));
  });

  it('are named in the errors about them', async () => {
    await writeFile(pathOf('bad.safetensors'), 'not a checkpoint at all');
    await expect(loadCheckpoint(pathOf('bad.safetensors'))).rejects.toThrow(FormatError);
    await expect(loadCheckpoint(pathOf('bad.safetensors'))).rejects.toThrow('bad.safetensors');
    await expect(loadCheckpoint(pathOf('none.safetensors'))).rejects.toThrow(StorageError);
  });
});

describe('RunDirectory', () => {
  it('is for one process at a time; what a dead one has left is taken over', async () => {
    const lock = pathOf('run.lock');
    const { hostname } = await import('node:os');
    await writeFile(lock, `${process.ppid} ${hostname()}`);
    await expect(RunDirectory.create(folder)).rejects.toThrow(`process ${process.ppid} trains in it`);
    for (const stale of ['', `2147483646 ${hostname()}`, `${process.ppid} elsewhere`]) {
      await writeFile(lock, stale);
      await RunDirectory.create(folder);
      expect(await readFile(lock, 'utf8')).toBe(`${process.pid} ${hostname()}`);
      await rm(lock);
    }
  });

  it('holds last, best, history and events of a run', async () => {
    const run = await RunDirectory.create(folder);
    await trainInto(run);
    expect((await readdir(folder)).toSorted()).toEqual([
      'best.safetensors',
      'events.jsonl',
      'history.csv',
      'last.safetensors',
      'run.lock',
      'saved_models',
    ]);
    const whole = await runAll(options());
    expect(digest(await readFile(pathOf('last.safetensors')))).toBe(digest(whole.result.checkpoint));
    const best = whole.events.findLast((event) => event.type === 'checkpoint' && event.best);
    expect(best?.type === 'checkpoint' ? digest(best.checkpoint) : '').toBe(
      digest(await readFile(pathOf('best.safetensors'))),
    );
    const [header, ...rows] = (await readFile(pathOf('history.csv'), 'utf8')).trimEnd().split('\n');
    expect(header).toBe('epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,images_per_second,seconds');
    const { loss, accuracy, valLoss, valAccuracy } = whole.result.history[1] ?? {};
    expect(rows[1]?.split(',').slice(0, 6)).toEqual(['2', loss, accuracy, valLoss, valAccuracy, 0.001].map(String));
    expect(rows.every((row) => /,\d+\.\d,\d+\.\d\d$/.test(row))).toBe(true);
    expect((await logged()).map(({ type }) => type)).toEqual([
      'start',
      'checkpoint',
      'checkpoint',
      'epoch',
      'checkpoint',
      'checkpoint',
      'checkpoint',
      'epoch',
      'checkpoint',
    ]);
  });

  it('is not made where a run is, nor resumed where none is', async () => {
    await expect(RunDirectory.resume(folder)).rejects.toThrow('holds no run to resume');
    await trainInto(await RunDirectory.create(folder), { epochs: 1 });
    await expect(RunDirectory.create(folder)).rejects.toThrow(ValueError);
    await expect(RunDirectory.create(folder)).rejects.toThrow('holds a run already');
    await expect(RunDirectory.resume(join(folder, 'none'))).rejects.toThrow('start a new run there');
    await writeFile(pathOf('file'), '');
    await expect(RunDirectory.create(join(folder, 'file', 'x'))).rejects.toThrow(StorageError);
  });

  it('keeps the timing of earlier epochs when it is resumed, and leaves it blank where the log is gone', async () => {
    await trainInto(await RunDirectory.create(folder), { epochs: 1 });
    const timingOf = async (row: number): Promise<string> =>
      (await readFile(pathOf('history.csv'), 'utf8')).split('\n')[row]?.split(',').slice(6).join() ?? '';
    const timing = await timingOf(1);
    await trainInto(await RunDirectory.resume(folder), { epochs: 2 });
    expect(await timingOf(1)).toBe(timing);
    expect(await timingOf(2)).toMatch(/\d/);
    await rm(pathOf('events.jsonl'));
    await RunDirectory.resume(folder);
    expect(await timingOf(1)).toBe(',');
  });

  it('drops what the log says past the checkpoint, and a line that was cut', async () => {
    await trainInto(await RunDirectory.create(folder), { epochs: 1 });
    const log = await readFile(pathOf('events.jsonl'), 'utf8');
    const now = new Date().toISOString();
    await writeFile(
      pathOf('events.jsonl'),
      `${log}{"time":"${now}","type":"progress","epochsDone":1,"globalStep":9}\n{"time":"${now}","type":"epoch","epochsDone":2,"globalStep":2}\n{"time":"${now}","type":"prog`,
    );
    await RunDirectory.resume(folder);
    expect(await readFile(pathOf('events.jsonl'), 'utf8')).toBe(log);
  });

  it('removes temporary files of writes that were killed, and no others', async () => {
    await trainInto(await RunDirectory.create(folder), { epochs: 1 });
    await writeFile(pathOf('.last.safetensors.skiplane-tmp-999999999-0'), 'half');
    await writeFile(pathOf(`.last.safetensors.skiplane-tmp-${process.pid}-7`), 'half');
    await writeFile(pathOf('.mine.txt'), 'keep');
    await RunDirectory.resume(folder);
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual(['.mine.txt']);
  });

  it('leaves a run that can go on when the disk is full', async () => {
    const run = await RunDirectory.create(folder);
    let saved = 0;
    const failing = async (): Promise<void> => {
      for await (const event of train(options())) {
        if (event.type === 'checkpoint' && ++saved === 3) faults.diskFull = true;
        await run.record(event);
      }
    };
    await expect(failing()).rejects.toThrow('the disk is full');
    noFaults();
    await trainInto(await RunDirectory.resume(folder));
    expect(digest(await readFile(pathOf('last.safetensors')))).toBe(
      digest((await runAll(options())).result.checkpoint),
    );
  });

  it('survives a kill at any operation on its files, and ends with the same bytes', async () => {
    const oneStep = { batchSize: 7 };
    await trainInto(await RunDirectory.create(folder), oneStep);
    const [last, best] = [await readFile(pathOf('last.safetensors')), await readFile(pathOf('best.safetensors'))].map(
      digest,
    );
    const models = await savedModels();
    expect(Object.keys(models)).toContain('cifar10_ResNet8v1_model.001.safetensors');
    const lines = (await logged()).map(({ type, epochsDone, globalStep }) => `${type} ${epochsDone} ${globalStep}`);
    let crashes = 0;
    for (let crashAt = 1; ; crashAt++) {
      noFaults();
      await rm(folder, { recursive: true });
      noFaults();
      faults.crashAt = crashAt;
      const crashed = await RunDirectory.create(folder)
        .then((run) => trainInto(run, oneStep))
        .then(
          () => false,
          (error: unknown) => isCrash(error),
        );
      noFaults();
      if (!crashed) break;
      crashes++;
      const run = existsSync(pathOf('last.safetensors'))
        ? await RunDirectory.resume(folder)
        : await RunDirectory.create(folder);
      await trainInto(run, oneStep);
      expect(digest(await readFile(pathOf('last.safetensors'))), `killed at operation ${crashAt}`).toBe(last);
      expect(digest(await readFile(pathOf('best.safetensors'))), `killed at operation ${crashAt}`).toBe(best);
      expect((await readdir(folder)).toSorted()).toEqual([
        'best.safetensors',
        'events.jsonl',
        'history.csv',
        'last.safetensors',
        'run.lock',
        'saved_models',
      ]);
      expect(await savedModels(), `killed at operation ${crashAt}`).toEqual(models);
      // Starts and the checkpoint at which it went on may differ; every other line is there once.
      const seen = (await logged()).map(({ type, epochsDone, globalStep }) => `${type} ${epochsDone} ${globalStep}`);
      expect(seen.filter((line) => line.startsWith('epoch'))).toEqual(lines.filter((line) => line.startsWith('epoch')));
      expect((await readFile(pathOf('history.csv'), 'utf8')).trimEnd().split('\n')).toHaveLength(3);
    }
    expect(crashes).toBeGreaterThan(30);
  }, 120_000);
});

function isCrash(error: unknown): true {
  if (error instanceof Crash || (error instanceof StorageError && error.cause instanceof Crash)) return true;
  throw error;
}
