import { valueOf, type Graph, type Value, type ValueId } from './graph.ts';
import { lifetimes, type Lifetime } from './lifetimes.ts';

export interface SlotOptions {
  /** Bytes of each workspace that each op needs while it runs, by op index (default none). */
  readonly workspaces?: readonly (readonly number[])[];
  /** Whether values that are never needed at the same time may share a slot (default true). */
  readonly share?: boolean;
  /** Bytes that a value takes (default: those of its elements). */
  readonly bytesOf?: (value: Value) => number;
}

export interface SlotPlan {
  /** Bytes of each slot. */
  readonly slots: readonly number[];
  /** Where each value lives: the named value whose tensor holds it, or a whole slot. */
  readonly storage: ReadonlyMap<ValueId, SlotStorage>;
  /** Slots of each op's workspaces, by op index. */
  readonly workspaces: readonly (readonly number[])[];
}

export type SlotStorage =
  | { readonly kind: 'tensor'; readonly name: string }
  | { readonly kind: 'slot'; readonly slot: number };

interface Slot {
  readonly bytes: number;
  readonly users: Lifetime[];
}

/**
 * Gives every unnamed value and every workspace of a graph a whole slot, for devices whose kernels take whole buffers.
 * Largest first, each takes the smallest slot that is free during its lifetime, else a new one. An op's inputs, outputs and
 * workspaces are all needed while it runs, so that no two of them share a slot; views and updates share their input's.
 *
 * @source Pisarchyk & Lee 2020, shared objects, greedy by size
 */
export function planSlots(graph: Graph, { workspaces = [], share = true, bytesOf }: SlotOptions = {}): SlotPlan {
  const { rootOf, own } = lifetimes(graph, false, bytesOf);
  const scratch = graph.ops.map((_, index) =>
    (workspaces[index] ?? []).map((bytes): Lifetime => ({ bytes, firstOp: index, lastOp: index })),
  );
  const slots: Slot[] = [];
  const slotOf = new Map<Lifetime, number>();
  const largestFirst = [...own.values(), ...scratch.flat()].toSorted(
    (a, b) => b.bytes - a.bytes || a.firstOp - b.firstOp,
  );
  for (const lifetime of largestFirst) {
    // Slots were made in order of falling size, so the last that is free is the smallest.
    const found = share ? slots.findLastIndex(({ users }) => users.every((user) => apart(user, lifetime))) : -1;
    const index = found === -1 ? slots.push({ bytes: lifetime.bytes, users: [] }) - 1 : found;
    slots[index]?.users.push(lifetime);
    slotOf.set(lifetime, index);
  }

  const storage = new Map<ValueId, SlotStorage>();
  for (const { id } of graph.values) {
    const root = valueOf(graph, rootOf(id));
    const lifetime = own.get(root.id);
    if (root.name !== undefined) storage.set(id, { kind: 'tensor', name: root.name });
    else if (lifetime !== undefined) storage.set(id, { kind: 'slot', slot: slotOf.get(lifetime) as number });
  }
  return {
    slots: slots.map(({ bytes }) => bytes),
    storage,
    workspaces: scratch.map((lifetimesOfOp) => lifetimesOfOp.map((lifetime) => slotOf.get(lifetime) as number)),
  };
}

const apart = (a: Lifetime, b: Lifetime): boolean => a.lastOp < b.firstOp || b.lastOp < a.firstOp;
