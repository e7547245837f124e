import { lifetimes, opDef, valueOf, type Graph, type Op, type OpKind, type Slot, type ValueId } from '@skiplane/core';
import type { KernelRecord } from './lower/lowering.ts';

/** How threads go through records: each takes units, and does the steps of a unit in order, all records of a group step by step. */
export interface Turn {
  /** Records of the group that begins with this one; 1 of one by itself. */
  readonly span: number;
  readonly units: number;
  readonly steps: number;
  /** Tasks of the record in a step. */
  readonly share: number;
}

/** Where a record stands among those of its part: the op, and which of its records. */
interface ScheduledRecord extends Turn {
  readonly op: number;
  readonly index: number;
}

/** In which order the records of a part run. */
export interface Schedule {
  readonly records: readonly ScheduledRecord[];
  /** By op: when its operands are in use. Groups have one time each. */
  readonly slots: readonly Slot[];
}

/** A record as the schedule sees it. */
type Work = Pick<KernelRecord, 'tasks' | 'images' | 'sequence'>;

/** Records of an op, of which the first `packs` read nothing but a filter. */
export interface OpWork {
  readonly packs: number;
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
});

/** Units of a group for each thread at the least: at the end, threads wait for the one that took the last. */
const unitsPerThread = 4;

/**
 * Groups records of neighbouring ops that go through the same images: what one hands on, the next finds in the cache, and threads meet once a group.
 * An op whose records need something of all images in between, as a batch norm does, ends one group with its first and begins another with its last.
 */
export const groupByImages: Scheduler = (graph, works, threads) => {
  const records: ScheduledRecord[] = [];
  const slots: Slot[] = [];
  const { rootOf } = lifetimes(graph, false);
  const newGroup = (): Group => new Group(graph, rootOf, threads);
  let group = newGroup();
  let slot = 0;
  const close = (): void => {
    if (group.empty) return;
    records.push(...group.scheduled());
    group = newGroup();
    slot++;
  };
  graph.ops.forEach((op, index) => {
    const { packs, records: own } = works[index] as OpWork;
    const members = own.map((work, at): Member => ({ ...work, op: index, index: at }));
    const { before, first, between, last, after } = phasesOf(members.slice(packs));
    const packing = members.slice(0, packs);
    const take = (): boolean =>
      first.length === 0 ? group.takeWhole(op, members) : group.takeImages(op, [...packing, ...before], first, between);
    if (before.length > 0 || !take()) {
      close();
      take();
    }
    const begin = slot;
    if (last.length > 0) {
      close();
      group.takeImages(op, [], last, after);
    }
    slots.push({ first: begin, last: slot });
  });
  close();
  return { records, slots };
};

interface Member extends Work {
  readonly op: number;
  readonly index: number;
}

/** An op's records in turn: not by images, by images, not, by images, not. */
function phasesOf(
  records: readonly Member[],
): Readonly<Record<'before' | 'first' | 'between' | 'last' | 'after', readonly Member[]>> {
  const rest = [...records];
  const next = (byImages: boolean): readonly Member[] => {
    const end = rest.findIndex(({ images }) => images > 0 !== byImages);
    return rest.splice(0, end < 0 ? rest.length : end);
  };
  return { before: next(false), first: next(true), between: next(false), last: next(true), after: rest };
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));
const leastCommonMultiple = (a: number, b: number): number => (a / greatestCommonDivisor(a, b)) * b;

/** Whether an op may write over one of its operands. */
function overwrites({ kind }: Op): boolean {
  const { aliases, inPlace } = opDef<OpKind>(kind);
  return inPlace !== undefined || (aliases ?? []).some((alias) => alias.kind === 'update');
}

/** Operands that every image needs whole, beside vectors. */
const filterOperand: { readonly [K in OpKind]?: number } = { conv2d: 1, conv2dBackpropInput: 0 };

/** Records that run together by images, those that come before them, and those that need all that they made. */
class Group {
  readonly #graph: Graph;
  readonly #rootOf: (id: ValueId) => ValueId;
  readonly #threads: number;
  readonly #before: Member[] = [];
  readonly #members: Member[] = [];
  readonly #after: Member[] = [];
  /** Values of which a step makes its images' share, and those that are whole only behind the group. */
  readonly #byImages = new Set<ValueId>();
  readonly #late = new Set<ValueId>();
  /** Values that the members read, and those that are read behind them. */
  readonly #read = new Set<ValueId>();
  readonly #readLate = new Set<ValueId>();
  /** 0 before the first members, and where they go one by one. */
  #batch = 0;
  /** Images of a step and of a unit. */
  #step = 1;
  #unit = 1;

  constructor(graph: Graph, rootOf: (id: ValueId) => ValueId, threads: number) {
    this.#graph = graph;
    this.#rootOf = rootOf;
    this.#threads = threads;
  }

  get empty(): boolean {
    return this.#before.length + this.#members.length + this.#after.length === 0;
  }

  /** Takes an op with no work by images, to run before the group or behind it; false where it must wait for the group's end. */
  takeWhole(op: Op, records: readonly Member[]): boolean {
    if (records.length === 0) return true;
    const inputs = op.inputs.map(this.#rootOf);
    if (inputs.some((id) => this.#byImages.has(id) || this.#late.has(id))) {
      this.#after.push(...records);
      inputs.forEach((id) => this.#readLate.add(id));
      op.outputs.forEach((id) => this.#late.add(this.#rootOf(id)));
      return true;
    }
    if (this.#members.length === 0 && !this.empty) return false;
    if (overwrites(op) && inputs.some((id) => this.#read.has(id) || this.#readLate.has(id))) return false;
    this.#before.push(...records);
    return true;
  }

  /** Takes an op's work by images, if it goes well with what is there; a group that is empty takes all. */
  takeImages(op: Op, before: readonly Member[], members: readonly Member[], after: readonly Member[]): boolean {
    const [{ images: batch } = { images: 0 }] = members;
    const step = members.map(imagesOfStep).reduce(leastCommonMultiple, this.#step);
    const unit = members
      .map((member) => imagesOfStep(member) * member.sequence)
      .reduce(leastCommonMultiple, this.#unit);
    const whole = leastCommonMultiple(step, unit);
    const fits =
      members.every(({ images }) => images === batch) &&
      batch % whole === 0 &&
      batch / whole >= unitsPerThread * this.#threads;
    const inputs = op.inputs.map(this.#rootOf);
    if (this.#members.length > 0) {
      if (!fits || batch !== this.#batch) return false;
      if (
        inputs.some((id, position) => this.#late.has(id) || (this.#byImages.has(id) && this.#neededWhole(op, position)))
      )
        return false;
      if (overwrites(op) && inputs.some((id) => this.#readLate.has(id))) return false;
    }
    if (fits) [this.#batch, this.#step, this.#unit] = [batch, step, whole];
    this.#before.push(...before);
    this.#members.push(...members);
    this.#after.push(...after);
    inputs.forEach((id) => this.#read.add(id));
    op.outputs.forEach((id) => (fits && after.length === 0 ? this.#byImages : this.#late).add(this.#rootOf(id)));
    return true;
  }

  scheduled(): readonly ScheduledRecord[] {
    const together = (member: Member, at: number): ScheduledRecord =>
      place(member, {
        span: at === 0 ? this.#members.length : 1,
        units: this.#batch / this.#unit,
        steps: this.#unit / this.#step,
        share: (member.tasks * this.#step) / this.#batch,
      });
    return [
      ...this.#before.map(single),
      ...this.#members.map(this.#batch > 0 ? together : single),
      ...this.#after.map(single),
    ];
  }

  #neededWhole({ kind, inputs }: Op, position: number): boolean {
    return filterOperand[kind] === position || valueOf(this.#graph, inputs[position] as ValueId).shape.length < 2;
  }
}

const place = ({ op, index }: Member, turn: Turn): ScheduledRecord => ({ op, index, ...turn });
const single = (member: Member): ScheduledRecord => place(member, alone(member));

/** The fewest images that a whole number of tasks goes through. */
const imagesOfStep = ({ images, tasks }: Work): number => images / greatestCommonDivisor(images, tasks);
