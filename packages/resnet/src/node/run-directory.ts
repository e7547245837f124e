import { mkdir, rm, stat } from 'node:fs/promises';
import { ValueError } from '@skiplane/core';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { encodeCheckpoint } from '../checkpoint/encode.ts';
import type { CheckpointEvent, TrainEvent } from '../train/events.ts';
import { Interval } from '../train/stopwatch.ts';
import { CallbackFiles } from './callback-files.ts';
import { loadCheckpoint } from './checkpoint-file.ts';
import { EventLog, type LogSummary } from './event-log.ts';
import { HistoryCsv } from './history-csv.ts';
import { runFiles } from './run-files.ts';
import { curveOf, type RunSink, type RunSinkFactory, type Timing } from './run-sink.ts';
import { lockRun } from './run-lock.ts';
import { storageError } from './storage-error.ts';
import { removeTemporaryFiles, writeFileAtomic } from './write-file-atomic.ts';

/** Seconds between the progress events that the log keeps. */
const loggedProgressSeconds = 10;

/**
 * The folder of a training run: `last.safetensors`, `best.safetensors`, `history.csv`, `events.jsonl`.
 *
 * Files are written so that a kill at any moment leaves a run that can go on: an epoch's line goes to the log first, then
 * `last` is replaced, then `best`, then the files of callbacks, then those of the sinks, of which the history is one. What is
 * past `last` is dropped, and what is behind it repaired, by {@link RunDirectory.resume}.
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
  readonly #files: CallbackFiles;
  readonly #sinks: readonly RunSink[];

  private constructor(
    path: string,
    checkpoint: Checkpoint | null,
    timings: Map<number, Timing>,
    sinks: readonly RunSink[],
  ) {
    this.path = path;
    this.checkpoint = checkpoint;
    this.#timings = timings;
    this.#sinks = sinks;
    this.#log = new EventLog(runFiles(path).events);
    this.#files = new CallbackFiles(path, checkpoint !== null);
  }

  /**
   * A folder for a new run; what a run that never reached its first checkpoint has left there is removed.
   * @param sinks  that keep files besides the history
   * @throws {ValueError} when the folder holds a run, or another process trains in it
   * @throws {StorageError} when it cannot be written to
   */
  static async create(path: string, sinks: readonly RunSinkFactory[] = []): Promise<RunDirectory> {
    const files = runFiles(path);
    if (await exists(files.last)) {
      throw new ValueError(`'${path}' holds a run already (last.safetensors): resume it, or choose another folder.`, {
        path,
      });
    }
    try {
      await mkdir(path, { recursive: true });
    } catch (error) {
      throw storageError('cannot make the run folder', path, error);
    }
    await lockRun(files.lock, path);
    try {
      await removeTemporaryFiles(path);
      for (const file of [files.events, files.best]) await rm(file, { force: true });
    } catch (error) {
      throw storageError('cannot make the run folder', path, error);
    }
    return new RunDirectory(path, null, new Map(), await openSinks(path, sinks, null, new Map()));
  }

  /**
   * The folder of a run that goes on from its last checkpoint.
   * @param sinks  that keep files besides the history
   * @throws {ValueError} when it holds none, or another process trains in it
   * @throws {FormatError} when `last.safetensors` is damaged
   */
  static async resume(path: string, sinks: readonly RunSinkFactory[] = []): Promise<RunDirectory> {
    const files = runFiles(path);
    if (!(await exists(files.last))) {
      throw new ValueError(`'${path}' holds no run to resume: it has no last.safetensors; start a new run there.`, {
        path,
      });
    }
    await lockRun(files.lock, path);
    await removeTemporaryFiles(path);
    const checkpoint = await loadCheckpoint(files.last);
    const state = checkpoint.training;
    if (state === null) {
      throw new ValueError(
        `'${path}' holds no run to resume: its last.safetensors has weights only; start a new run in another folder.`,
        { path },
      );
    }
    const { timings } = await new EventLog(files.events).rewind({ ...state, ended: state.end !== null });
    // A kill between the two files: the epoch that has just ended is the best, and only `last` knows it.
    if (state.position === 0 && state.end === null && state.best !== null && state.best.epoch === state.epochsDone) {
      await writeFileAtomic(files.best, encodeCheckpoint(checkpoint));
    }
    const opened = await openSinks(path, sinks, checkpoint, timings);
    const run = new RunDirectory(path, checkpoint, timings, opened);
    await run.#files.repair(checkpoint);
    return run;
  }

  /** Writes what an event brings. @throws {StorageError} when a file cannot be written; the old ones are then still whole */
  async record(event: TrainEvent): Promise<void> {
    switch (event.type) {
      case 'start':
      case 'message':
      case 'end':
        await this.#log.append(event);
        return;
      case 'progress':
        if (!this.#progress.due) return;
        this.#progress.reset();
        await this.#log.append(event);
        return;
      case 'epoch': {
        const { epoch, imagesPerSecond, seconds } = event.record;
        this.#timings.set(epoch, { imagesPerSecond, seconds, time: await this.#log.append(event) });
        return;
      }
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
    const files = runFiles(this.path);
    const bytes = encodeCheckpoint(checkpoint);
    await writeFileAtomic(files.last, bytes);
    if (best) await writeFileAtomic(files.best, bytes);
    if (reason === 'epoch') {
      await this.#files.write(checkpoint, event.files);
      const curve = curveOf(checkpoint, this.#timings);
      for (const sink of this.#sinks) await sink.add(curve);
    }
    await this.#log.append(event);
  }
}

async function openSinks(
  path: string,
  others: readonly RunSinkFactory[],
  checkpoint: Checkpoint | null,
  timings: ReadonlyMap<number, Timing>,
): Promise<readonly RunSink[]> {
  const sinks = [new HistoryCsv(path), ...others.map((open) => open(path))];
  for (const sink of sinks) await sink.open(curveOf(checkpoint, timings));
  return sinks;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** What the log of a run's folder says, up to where a checkpoint of it stands. @throws {StorageError} when it cannot be read */
export async function readLog(folder: string, { training }: Checkpoint): Promise<LogSummary> {
  const { epochsDone = 0, step = 0, end = null } = training ?? {};
  return new EventLog(runFiles(folder).events).summary({ epochsDone, step, ended: end !== null });
}
