import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ValueError } from '@skiplane/core';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { encodeCheckpoint } from '../checkpoint/encode.ts';
import type { CheckpointEvent, TrainEvent } from '../train/events.ts';
import { Interval } from '../train/stopwatch.ts';
import { loadCheckpoint } from './checkpoint-file.ts';
import { EventLog } from './event-log.ts';
import { historyCsv, type Timing } from './history-csv.ts';
import { storageError } from './storage-error.ts';
import { removeTemporaryFiles, writeFileAtomic } from './write-file-atomic.ts';

/** Seconds between the progress events that the log keeps. */
const loggedProgressSeconds = 10;

/**
 * The folder of a training run: `last.safetensors`, `best.safetensors`, `history.csv`, `events.jsonl`.
 *
 * Files are written so that a kill at any moment leaves a run that can go on: an epoch's line goes to the log first, then
 * `last` is replaced, then `best`, then the history. What is past `last` is dropped, and what is behind it repaired, by
 * {@link RunDirectory.resume}.
 *
 * ```ts
 * const run = await RunDirectory.create('runs/first');
 * for await (const event of train({ …, checkpoint: run.checkpoint })) await run.record(event);
 * ```
 */
export class RunDirectory {
  readonly path: string;
  /** Where a resumed run goes on; null in a new one. */
  readonly checkpoint: Checkpoint | null;
  readonly #log: EventLog;
  readonly #timings: Map<number, Timing>;
  readonly #progress = new Interval(loggedProgressSeconds);

  private constructor(path: string, checkpoint: Checkpoint | null, timings: Map<number, Timing>) {
    this.path = path;
    this.checkpoint = checkpoint;
    this.#timings = timings;
    this.#log = new EventLog(fileOf(path).events);
  }

  /**
   * A folder for a new run; what a run that never reached its first checkpoint has left there is removed.
   * @throws {ValueError} when the folder holds a run
   * @throws {StorageError} when it cannot be written to
   */
  static async create(path: string): Promise<RunDirectory> {
    const files = fileOf(path);
    if (await exists(files.last)) {
      throw new ValueError(`'${path}' holds a run already (last.safetensors): resume it, or choose another folder.`, {
        path,
      });
    }
    try {
      await mkdir(path, { recursive: true });
      await removeTemporaryFiles(path);
      for (const file of [files.events, files.history, files.best]) await rm(file, { force: true });
    } catch (error) {
      throw storageError('cannot make the run folder', path, error);
    }
    return new RunDirectory(path, null, new Map());
  }

  /**
   * The folder of a run that goes on from its last checkpoint.
   * @throws {ValueError} when it holds none
   * @throws {FormatError} when `last.safetensors` is damaged
   */
  static async resume(path: string): Promise<RunDirectory> {
    const files = fileOf(path);
    if (!(await exists(files.last))) {
      throw new ValueError(`'${path}' holds no run to resume: it has no last.safetensors; start a new run there.`, {
        path,
      });
    }
    await removeTemporaryFiles(path);
    const checkpoint = await loadCheckpoint(files.last);
    const state = checkpoint.training;
    if (state === null) {
      throw new ValueError(
        `'${path}' holds no run to resume: its last.safetensors has weights only; start a new run in another folder.`,
        { path },
      );
    }
    const timings = await new EventLog(files.events).rewind(state);
    await writeFileAtomic(files.history, historyCsv(state.history, timings));
    // A kill between the two files: the epoch that has just ended is the best, and only `last` knows it.
    if (state.position === 0 && state.best !== null && state.best.epoch === state.epochsDone) {
      await writeFileAtomic(files.best, encodeCheckpoint(checkpoint));
    }
    return new RunDirectory(path, checkpoint, timings);
  }

  /** Writes what an event brings. @throws {StorageError} when a file cannot be written; the old ones are then still whole */
  async record(event: TrainEvent): Promise<void> {
    switch (event.type) {
      case 'start':
        return this.#log.append(event);
      case 'progress':
        if (!this.#progress.due) return;
        this.#progress.reset();
        return this.#log.append(event);
      case 'epoch':
        this.#timings.set(event.record.epoch, event.record);
        return this.#log.append(event);
      case 'checkpoint':
        return this.#save(event);
      case 'validation':
        return;
      default:
        return event satisfies never;
    }
  }

  async #save(event: CheckpointEvent): Promise<void> {
    const { checkpoint, best, reason } = event;
    const files = fileOf(this.path);
    const bytes = encodeCheckpoint(checkpoint);
    await writeFileAtomic(files.last, bytes);
    if (best) await writeFileAtomic(files.best, bytes);
    if (reason === 'epoch')
      await writeFileAtomic(files.history, historyCsv(checkpoint.training?.history ?? [], this.#timings));
    await this.#log.append(event);
  }
}

function fileOf(path: string) {
  return {
    last: join(path, 'last.safetensors'),
    best: join(path, 'best.safetensors'),
    history: join(path, 'history.csv'),
    events: join(path, 'events.jsonl'),
  };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
