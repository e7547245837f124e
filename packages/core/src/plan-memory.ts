import { valueOf, type Graph, type ValueId } from './graph.ts';
import { lifetimes } from './lifetimes.ts';
import { Occupancy } from './occupancy.ts';

export interface PlanOptions {
  /** Offsets are multiples of this. */
  readonly alignment: number;
  /** Bytes left free behind every block, for sentinels (default 0); with a gap, no two blocks share memory over time. */
  readonly gap?: number;
  /** Scratch memory that each op needs while it runs, by op index (default none). */
  readonly workspaceBytes?: readonly number[];
  /** Whether an op may overwrite an input that dies there (default true). */
  readonly inPlace?: boolean;
  /** When each op runs, by op index, neither end earlier than that of the op before (default: one after another). */
  readonly slots?: readonly Slot[];
}

/** Times during which an op runs, both ends included; ops that share one run side by side. */
export interface Slot {
  readonly first: number;
  readonly last: number;
}

export interface MemoryPlan {
  readonly arenaBytes: number;
  /** Where each value lives: the named value whose tensor holds it, or a byte offset into the arena. */
  readonly storage: ReadonlyMap<ValueId, Storage>;
  /** Offset of each op's workspace, by op index; undefined where it needs none. */
  readonly workspace: readonly (number | undefined)[];
  /** All blocks of the arena, for sentinels and reports. */
  readonly blocks: readonly Block[];
}

export type Storage =
  | { readonly kind: 'tensor'; readonly name: string }
  | { readonly kind: 'arena'; readonly offset: number };

/** A range of the arena and the ops during which it is taken, both ends included. */
export interface Block {
  readonly offset: number;
  readonly bytes: number;
  readonly firstOp: number;
  readonly lastOp: number;
}

interface Request extends Slot {
  readonly bytes: number;
  readonly firstOp: number;
  readonly lastOp: number;
  offset: number;
}

/**
 * Places every unnamed value of a graph in one arena, from lifetimes: largest first, each at the lowest offset where no
 * block of an overlapping lifetime lies. Views and updates share the storage of their input, and an op that may work
 * in place takes over the storage of an input that dies with it.
 *
 * @source Pisarchyk & Lee 2020, greedy by size
 */
export function planMemory(graph: Graph, options: PlanOptions): MemoryPlan {
  const { alignment, gap = 0, workspaceBytes = [], inPlace = true, slots = [] } = options;
  const align = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;
  const request = (bytes: number, firstOp: number, lastOp: number): Request => ({
    bytes: align(bytes),
    firstOp,
    lastOp,
    first: slots[firstOp]?.first ?? firstOp,
    last: slots[lastOp]?.last ?? lastOp,
    offset: -1,
  });
  const { rootOf, own } = lifetimes(graph, inPlace);
  const requests = new Map(
    [...own].map(([id, { bytes, firstOp, lastOp }]) => [id, request(bytes, firstOp, lastOp)] as const),
  );

  const workspaces = graph.ops.map((_, index): Request | undefined => {
    const bytes = workspaceBytes[index] ?? 0;
    return bytes === 0 ? undefined : request(bytes, index, index);
  });
  const placed = place([...requests.values(), ...workspaces.filter((block) => block !== undefined)], align(gap));

  const storage = new Map<ValueId, Storage>();
  for (const value of graph.values) {
    const root = valueOf(graph, rootOf(value.id));
    const block = requests.get(root.id);
    if (root.name !== undefined) storage.set(value.id, { kind: 'tensor', name: root.name });
    else if (block !== undefined) storage.set(value.id, { kind: 'arena', offset: block.offset });
  }
  return {
    arenaBytes: placed.reduce((end, { offset, bytes }) => Math.max(end, offset + bytes + align(gap)), 0),
    storage,
    workspace: workspaces.map((block) => block?.offset),
    blocks: placed,
  };
}

/** Gives each request its offset; they come in the order of their offsets. With a gap they stand one behind the other. */
function place(requests: readonly Request[], gap: number): readonly Request[] {
  const largestFirst = requests.toSorted((a, b) => b.bytes - a.bytes || a.firstOp - b.firstOp);
  const occupancy = new Occupancy(requests.reduce((end, { last }) => Math.max(end, last + 1), 0));
  let end = 0;
  for (const request of largestFirst) {
    const { bytes, first, last } = request;
    if (gap > 0) {
      request.offset = end;
      end += bytes + gap;
      continue;
    }
    request.offset = occupancy.firstFree(0, bytes, first, last);
    occupancy.take(request.offset, bytes, first, last);
  }
  return largestFirst.toSorted((a, b) => a.offset - b.offset);
}
