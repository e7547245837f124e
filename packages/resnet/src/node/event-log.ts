import { appendFile, readFile } from 'node:fs/promises';
import * as v from 'valibot';
import type { TrainEvent } from '../train/events.ts';
import type { Timing } from './history-csv.ts';
import { errorCode, storageError } from './storage-error.ts';
import { writeFileAtomic } from './write-file-atomic.ts';

/** Where a run stands, as far as lines of its log are ordered by it. */
export interface Position {
  readonly epochsDone: number;
  readonly step: number;
}

const lineSchema = v.looseObject({
  type: v.string(),
  epochsDone: v.number(),
  globalStep: v.number(),
  record: v.optional(v.looseObject({ epoch: v.number(), imagesPerSecond: v.number(), seconds: v.number() })),
});
type Line = v.InferOutput<typeof lineSchema>;

/** The log of a run, `events.jsonl`: one JSON object a line, appended whole. */
export class EventLog {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Appends an event, in one write. A checkpoint's tensors stay out. */
  async append(event: TrainEvent): Promise<void> {
    const line = JSON.stringify({ time: new Date().toISOString(), ...describe(event) });
    try {
      await appendFile(this.#path, `${line}\n`);
    } catch (error) {
      throw storageError('cannot write', this.#path, error);
    }
  }

  /**
   * Drops the lines past a position, which a resumed run will write again, and a last line that a kill has cut.
   * @returns the timings of the epochs that stay
   */
  async rewind(position: Position): Promise<Map<number, Timing>> {
    const timings = new Map<number, Timing>();
    const kept: string[] = [];
    for (const text of await this.#lines()) {
      const line = parse(text);
      if (line === undefined || isPast(line, position)) continue;
      kept.push(text);
      if (line.type === 'epoch' && line.record !== undefined) timings.set(line.record.epoch, line.record);
    }
    await writeFileAtomic(this.#path, kept.map((text) => `${text}\n`).join(''));
    return timings;
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
    case 'start':
    case 'progress':
    case 'validation':
      return { ...event, epochsDone: event.epoch - 1 };
    default:
      return event satisfies never;
  }
}

function isPast({ epochsDone, globalStep }: Line, { epochsDone: doneThere, step }: Position): boolean {
  return epochsDone > doneThere || (epochsDone === doneThere && globalStep > step);
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
