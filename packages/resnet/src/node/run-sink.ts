import type { Checkpoint, HistoryRecord } from '../checkpoint/checkpoint.ts';

/** How fast an epoch went, and when: in no checkpoint, since it depends on the clock. */
export interface Timing {
  readonly imagesPerSecond: number;
  readonly seconds: number;
  /** When it ended, in seconds since 1970. */
  readonly time: number;
}

/** One epoch of a run; null where the timing is not known. */
export interface CurvePoint extends HistoryRecord {
  readonly timing: Timing | null;
}

/**
 * What keeps files of its own in a run's folder, out of the epochs that are saved: it is told of an epoch when the
 * checkpoint of it is safe on the disk.
 */
export interface RunSink {
  /**
   * Before the first event: makes its files say exactly this, whatever a process that was killed has left.
   * @param curve  the epochs that are saved; none in a new run
   */
  open(curve: readonly CurvePoint[]): Promise<void>;
  /** After an epoch. @param curve  all of them, the new one last */
  add(curve: readonly CurvePoint[]): Promise<void>;
}

/** A sink for a run's folder, which is there when the sink is opened. */
export type RunSinkFactory = (folder: string) => RunSink;

/** The epochs that a checkpoint has done, with what is known of the time they took. */
export function curveOf(checkpoint: Checkpoint | null, timings: ReadonlyMap<number, Timing>): readonly CurvePoint[] {
  const { history = [] } = checkpoint?.training ?? {};
  return history.map((record) => ({ ...record, timing: timings.get(record.epoch) ?? null }));
}
