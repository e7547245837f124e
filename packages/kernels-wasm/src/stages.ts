import { lifetimes, opDef, valueOf, type Graph, type Op, type OpKind, type Slot, type ValueId } from '@skiplane/core';
import { Group, type Member } from './group.ts';
import type { OpWork, ScheduledRecord, Scheduler } from './schedule.ts';

/**
 * Groups of records in stages, between which all threads meet. Records of neighbouring ops that go through the same images are a group: what
 * one hands on, the next finds in the cache. Groups that need nothing of each other stand side by side in a stage: a thread that finds no
 * more to do in one goes on with the next. An op whose records need something of all images in between, as a batch norm does,
 * is in one group with its first and begins another with its last.
 */
export const inStages: Scheduler = (graph, works, threads) => {
  const stages = new Stages(graph, works, threads);
  const slots = graph.ops.map((op, index) => stages.add(op, index));
  return { records: stages.records(), slots: monotonous(slots) };
};

/** Slots that are widened until neither end is earlier than that of the op before: records may run in another order than the ops. */
function monotonous(slots: readonly Slot[]): readonly Slot[] {
  const firsts = slots.map(({ first }) => first);
  const lasts = slots.map(({ last }) => last);
  for (let i = firsts.length - 2; i >= 0; i--) firsts[i] = Math.min(firsts[i] as number, firsts[i + 1] as number);
  for (let i = 1; i < lasts.length; i++) lasts[i] = Math.max(lasts[i] as number, lasts[i - 1] as number);
  return firsts.map((first, i) => ({ first, last: lasts[i] as number }));
}

/** Where something ends: in a stage, and in one group or several. */
interface Place {
  readonly stage: number;
  readonly group: Group | undefined;
}

/** The first stage behind a place. */
const behind = (place: Place | undefined): number => (place === undefined ? 0 : place.stage + 1);

/** The same, where what the group does by then counts. */
const behindOrIn = (place: Place | undefined, group: Group | undefined): number =>
  place !== undefined && group !== undefined && place.group === group ? place.stage : behind(place);

/** Operands that every image needs whole, beside vectors. */
const filterOperand: { readonly [K in OpKind]?: number } = { conv2d: 1, conv2dBackpropInput: 0 };

/** Operands that an op may write over. */
function overwritten({ kind, inputs }: Op): readonly ValueId[] {
  const { aliases = [], inPlace } = opDef<OpKind>(kind);
  const positions = aliases.filter((alias) => alias.kind === 'update').map(({ input }) => input);
  return [...positions, ...(inPlace === undefined ? [] : [inPlace.input])].map(
    (position) => inputs[position] as ValueId,
  );
}

class Stages {
  readonly #graph: Graph;
  readonly #works: readonly OpWork[];
  readonly #threads: number;
  readonly #rootOf: (id: ValueId) => ValueId;
  /** Images of a batch. */
  readonly #batch: number;
  readonly #groups: Group[][] = [];
  /** By stage: records of one task, which one thread does in order. */
  readonly #small: Group[] = [];
  /** The group by images that was begun last. */
  #open: (Place & { readonly group: Group }) | undefined;
  /** The latest stage in which an op with work by images begins. Ops behind it begin one stage earlier at most, lest they keep memory for long. */
  #front = 0;
  /** Where values are ready, and where they are read last. */
  readonly #written = new Map<ValueId, Place>();
  readonly #read = new Map<ValueId, Place>();

  constructor(graph: Graph, works: readonly OpWork[], threads: number) {
    this.#graph = graph;
    this.#works = works;
    this.#threads = threads;
    this.#rootOf = lifetimes(graph, false).rootOf;
    this.#batch = works.flatMap(({ records }) => records).reduce((most, { images }) => Math.max(most, images), 0);
  }

  /** Finds places for the records of the next op. Gives the stages from the first of them to the last. */
  add(op: Op, index: number): Slot {
    const { packs, packed, kept, records } = this.#works[index] as OpWork;
    const members = records.map((work, at): Member => ({ ...work, op: index, index: at, kept }));
    const least = packs === 0 ? 0 : behind(this.#written.get(this.#rootOf(op.inputs[packed] as ValueId))) + 1;
    let first: Place | undefined;
    let last: Place | undefined;
    for (const piece of this.#pieces(members.slice(packs))) {
      last = this.#place(op, piece, last, least);
      first ??= last;
    }
    if (first === undefined || last === undefined) return { first: this.#front, last: this.#front };
    for (const member of members.slice(0, packs)) this.#put(first.stage - 1, member);
    if (members.some(this.#byImages)) this.#front = Math.max(this.#front, first.stage);
    this.#note(op, last);
    return { first: packs === 0 ? first.stage : first.stage - 1, last: last.stage };
  }

  records(): readonly ScheduledRecord[] {
    // What has few units comes first, so that the last ones that threads take are small.
    return this.#groups.flatMap((groups) =>
      groups.toSorted((a, b) => a.units - b.units).flatMap((group, at) => group.scheduled(at === groups.length - 1)),
    );
  }

  /** Records in turn: those by images in a row are a piece, if they have units enough for the threads. */
  #pieces(members: readonly Member[]): readonly (readonly Member[])[] {
    const runs: Member[][] = [];
    members.forEach((member, at) => {
      const before = members[at - 1];
      if (before !== undefined && this.#byImages(before) && this.#byImages(member)) runs.at(-1)?.push(member);
      else runs.push([member]);
    });
    return runs.flatMap((run) => (this.#fits(run) ? [run] : run.map((member) => [member])));
  }

  readonly #byImages = ({ images }: Member): boolean => images > 0 && images === this.#batch;

  #fits(piece: readonly Member[]): boolean {
    return piece.every(this.#byImages) && new Group(this.#batch).takes(piece, this.#threads);
  }

  /** Puts a piece of an op where all is done that it needs. @param own  the op's piece before it; `least` the first stage to be in */
  #place(op: Op, piece: readonly Member[], own: Place | undefined, least: number): Place {
    const soonest = Math.max(least, this.#front - 1);
    const stage = Math.max(soonest, this.#earliest(op, own));
    if (this.#fits(piece)) {
      const open = this.#open;
      const joins = open !== undefined && least <= open.stage && open.group.takes(piece, this.#threads);
      const place =
        joins && this.#earliest(op, own, open.group) <= open.stage
          ? open
          : { stage, group: this.#begin(stage, new Group(this.#batch)) };
      place.group.add(piece);
      this.#open = place;
      return place;
    }
    const [member] = piece as readonly [Member];
    const joins = member.tasks === 1 && Math.max(soonest, this.#earliest(op, own, this.#small[stage - 1])) < stage;
    return this.#put(joins ? stage - 1 : stage, member);
  }

  #put(stage: number, member: Member): Place {
    const group = (member.tasks === 1 ? this.#small[stage] : undefined) ?? this.#begin(stage, new Group(0));
    if (member.tasks === 1) this.#small[stage] = group;
    group.add([member]);
    return { stage, group };
  }

  #begin(stage: number, group: Group): Group {
    while (this.#groups.length <= stage) this.#groups.push([]);
    this.#groups[stage]?.push(group);
    return group;
  }

  /** The first stage in which an op finds its operands ready, and need not overwrite what another reads. @param group  one that it would be in */
  #earliest(op: Op, own: Place | undefined, group?: Group): number {
    const needs = op.inputs.map((id, position) => {
      const written = this.#written.get(this.#rootOf(id));
      return group?.byImages === true && this.#neededWhole(op, position) ? behind(written) : behindOrIn(written, group);
    });
    const readers = overwritten(op).map((id) => behindOrIn(this.#read.get(this.#rootOf(id)), group));
    return Math.max(behindOrIn(own, group), ...needs, ...readers);
  }

  /** Notes where an op ends. */
  #note(op: Op, { stage, group }: Place): void {
    op.inputs.forEach((id, position) => {
      const root = this.#rootOf(id);
      const before = this.#read.get(root);
      if (before !== undefined && before.stage > stage) return;
      const alone =
        (before === undefined || before.stage < stage || before.group === group) && !this.#neededWhole(op, position);
      this.#read.set(root, { stage, group: alone ? group : undefined });
    });
    for (const id of op.outputs) this.#written.set(this.#rootOf(id), { stage, group });
  }

  #neededWhole({ kind, inputs }: Op, position: number): boolean {
    return filterOperand[kind] === position || valueOf(this.#graph, inputs[position] as ValueId).shape.length < 2;
  }
}
