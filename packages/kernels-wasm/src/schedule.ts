import type { Graph, Slot } from '@skiplane/core';
import type { KernelRecord } from './lower/lowering.ts';

/** How threads go through records: each takes units, and does the steps of a unit in order, all records of a group step by step. */
export interface Turn {
  /** Records of the group that begins with this one; 1 of one by itself. */
  readonly span: number;
  readonly units: number;
  readonly steps: number;
  /** Tasks of the record in a step. */
  readonly share: number;
  /** Whether threads meet behind the group: else each goes on to the next one when no unit is left. */
  readonly meet: boolean;
}

/** Where a record stands among those of its part: the op, and which of its records. */
export interface ScheduledRecord extends Turn {
  readonly op: number;
  readonly index: number;
}

/** In which order the records of a part run. */
export interface Schedule {
  readonly records: readonly ScheduledRecord[];
  /** By op: when its operands are in use. Groups between two meetings of the threads have one time. */
  readonly slots: readonly Slot[];
}

/** A record as the schedule sees it. */
export type Work = Pick<KernelRecord, 'tasks' | 'images' | 'sequence'>;

/** Records of an op, of which the first `packs` read nothing but the operand `packed`, a filter. */
export interface OpWork {
  readonly packs: number;
  readonly packed: number;
  /** Bytes that all images need whole: the packed filter, or a sum over images that a unit works on. */
  readonly kept: number;
  readonly records: readonly Work[];
}

export type Scheduler = (graph: Graph, works: readonly OpWork[], threads: number) => Schedule;

/** Every record by itself, op after op. */
export const oneByOne: Scheduler = (_, works) => ({
  records: works.flatMap(({ records }, op) => records.map((work, index) => ({ op, index, ...alone(work) }))),
  slots: works.map((_work, op) => ({ first: op, last: op })),
});

/** A record by itself. */
export const alone = ({ tasks, sequence }: Work): Turn => ({
  span: 1,
  units: tasks / sequence,
  steps: sequence,
  share: 1,
  meet: true,
});
