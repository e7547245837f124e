import { appendFile, readFile } from 'node:fs/promises';
import * as v from 'valibot';
import type { TrainEvent } from '../train/events.ts';
import type { Timing } from './run-sink.ts';
import { errorCode, storageError } from './storage-error.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

/** Where a run stands, as far as lines of its log are ordered by it. */
export interface Position {
  readonly epochsDone: number;
  readonly step: number;
  /** True when the end of training is behind it. */
  readonly ended: boolean;
}

const lineSchema = v.looseObject({
  type: v.string(),
  time: v.pipe(v.string(), v.isoTimestamp()),
  epochsDone: v.number(),
  globalStep: v.number(),
  record: v.optional(v.looseObject({ epoch: v.number(), imagesPerSecond: v.number(), seconds: v.number() })),
  device: v.optional(v.string()),
});
type Line = v.InferOutput<typeof lineSchema>;

/** What a log says beyond what checkpoints say: it depends on clocks and machines. */
export interface LogSummary {
  readonly timings: Map<number, Timing>;
  /** From the start of each process to the last event of it that counts, added up. */
  readonly seconds: number;
  /** Devices that something was computed on, in words. */
  readonly devices: readonly string[];
}

/** The log of a run, `events.jsonl`: one JSON object a line, appended whole. */
export class EventLog {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Appends an event, in one write. A checkpoint's tensors stay out.
   * @returns when, in seconds since 1970
   */
  async append(event: TrainEvent): Promise<number> {
    const now = new Date();
    const line = JSON.stringify({ time: now.toISOString(), ...describe(event) });
    try {
      await appendFile(this.#path, `${line}\n`);
    } catch (error) {
      throw storageError('cannot write', this.#path, error);
    }
    return now.getTime() / 1000;
  }

  /** What the log says up to a position. */
  async summary(position: Position): Promise<LogSummary> {
    return summaryOf((await this.#kept(position)).map(({ line }) => line));
  }

  /**
   * Drops the lines past a position, which a resumed run will write again, and a last line that a kill has cut.
   * @returns what the lines say that stay
   */
  async rewind(position: Position): Promise<LogSummary> {
    const kept = await this.#kept(position);
    await writeFileAtomic(this.#path, kept.map(({ text }) => `${text}\n`).join(''));
    return summaryOf(kept.map(({ line }) => line));
  }

  async #kept(position: Position): Promise<readonly { readonly text: string; readonly line: Line }[]> {
    return (await this.#lines()).flatMap((text) => {
      const line = parse(text);
      return line === undefined || isPast(line, position) ? [] : [{ text, line }];
    });
  }

  async #lines(): Promise<readonly string[]> {
    try {
      return (await readFile(this.#path, 'utf8')).split('\n');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw storageError('cannot read', this.#path, error);
    }
  }
}

function describe(event: TrainEvent): Record<string, unknown> {
  switch (event.type) {
    case 'checkpoint': {
      const { reason, best, checkpoint } = event;
      return {
        type: event.type,
        reason,
        best,
        epochsDone: checkpoint.training?.epochsDone,
        globalStep: checkpoint.training?.step,
      };
    }
    case 'epoch':
      return { ...event, epochsDone: event.record.epoch };
    case 'message':
    case 'end':
      return { ...event, epochsDone: event.epoch };
    case 'start':
    case 'progress':
    case 'validation':
      return { ...event, epochsDone: event.epoch - 1 };
    default:
      return event satisfies never;
  }
}

function summaryOf(lines: readonly Line[]): LogSummary {
  const timings = new Map<number, Timing>();
  const devices = new Set<string>();
  let [seconds, since] = [0, Number.NaN];
  let device: string | undefined;
  for (const line of lines) {
    const time = Date.parse(line.time) / 1000;
    if (line.type === 'start') device = line.device;
    else {
      if (device !== undefined) devices.add(device);
      if (time > since) seconds += time - since;
    }
    since = time;
    if (line.type === 'epoch' && line.record !== undefined) {
      const { epoch, imagesPerSecond, seconds: took } = line.record;
      timings.set(epoch, { imagesPerSecond, seconds: took, time });
    }
  }
  return { timings, seconds, devices: [...devices] };
}

function isPast({ type, epochsDone, globalStep }: Line, { epochsDone: doneThere, step, ended }: Position): boolean {
  if (epochsDone !== doneThere) return epochsDone > doneThere;
  return globalStep > step || (type === 'end' && !ended);
}

function parse(text: string): Line | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const result = v.safeParse(lineSchema, json);
  return result.success ? result.output : undefined;
}
