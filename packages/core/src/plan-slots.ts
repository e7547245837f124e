import { valueOf, type Graph, type Value, type ValueId } from './graph.ts';
import { lifetimes, type Lifetime } from './lifetimes.ts';
import { Occupancy } from './occupancy.ts';

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
  const slots: number[] = [];
  const slotOf = new Map<Lifetime, number>();
  const largestFirst = [...own.values(), ...scratch.flat()].toSorted(
    (a, b) => b.bytes - a.bytes || a.firstOp - b.firstOp,
  );
  const occupancy = new Occupancy(graph.ops.length);
  for (const lifetime of largestFirst) {
    const { bytes, firstOp, lastOp } = lifetime;
    // Slots are made in order of falling size, so the last that is free is the smallest: slot n stands at place −n.
    const place = share ? occupancy.firstFree(1 - slots.length, 1, firstOp, lastOp) : 1;
    const slot = place > 0 ? slots.push(bytes) - 1 : Math.abs(place);
    if (share) occupancy.take(-slot, 1, firstOp, lastOp);
    slotOf.set(lifetime, slot);
  }

  const storage = new Map<ValueId, SlotStorage>();
  for (const { id } of graph.values) {
    const root = valueOf(graph, rootOf(id));
    const lifetime = own.get(root.id);
    if (root.name !== undefined) storage.set(id, { kind: 'tensor', name: root.name });
    else if (lifetime !== undefined) storage.set(id, { kind: 'slot', slot: slotOf.get(lifetime) as number });
  }
  return {
    slots,
    storage,
    workspaces: scratch.map((lifetimesOfOp) => lifetimesOfOp.map((lifetime) => slotOf.get(lifetime) as number)),
  };
}
