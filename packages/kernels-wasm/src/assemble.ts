import { valueOf, type Graph } from '@skiplane/core';
import { byItself, codeBytes, writeCode, type Listing, type PlacedRecord } from './code.ts';
import type { Header } from './header.ts';
import type { KernelRecord, Lowering } from './lower/lowering.ts';
import { splitGraph, trains } from './parts.ts';
import { allValues, changedValues, planPart, scratchBytesOf, type PlannedPart } from './plan-part.ts';
import type { Engine } from './program.ts';
import { movesOf, recordsOf } from './records.ts';
import { oneByOne, type Schedule } from './schedule.ts';
import { inStages } from './stages.ts';
import type { WasmTensor } from './tensor.ts';

/** A part of a program as it lies in memory. */
export interface PlacedPart extends PlannedPart {
  readonly listing: Listing;
  /** Byte offsets: one, or one a thread where there are chunks. */
  readonly arenas: readonly number[];
  /** Of the first copy, by op. */
  readonly records: readonly (readonly KernelRecord[])[];
}

/** A program in memory. */
export interface Assembled {
  readonly parts: readonly PlacedPart[];
  /** By name: the caller's tensors, and those that only parts of this program share. */
  readonly tensors: ReadonlyMap<string, WasmTensor>;
  readonly own: readonly WasmTensor[];
  /** Tensors that are packed ahead of runs. */
  readonly packed: ReadonlySet<WasmTensor>;
  /** Byte offset of the headers, one behind the other: of the records that pack ahead of runs, then of the parts. */
  readonly code: number;
  readonly packing: Header;
  /** By part. */
  readonly headers: readonly Header[];
  readonly scratchBytes: number;
  /** Byte offsets of all that was allocated for it alone. */
  readonly memory: readonly number[];
  /** Byte offset of what it shares with other programs: scratch, and behind it the arenas. */
  readonly arena: number;
}

/** Decides all that a run does, and writes it to memory. @param options.limited  whether memory counts for more than time */
export function assemble(
  engine: Engine,
  graph: Graph,
  bound: ReadonlyMap<string, WasmTensor>,
  { guard, limited }: { readonly guard: boolean; readonly limited: boolean },
): Assembled {
  const { heap, threads, barrier } = engine;
  const memory: number[] = [];
  const allocate = (bytes: number, what: string): number => {
    const offset = heap.allocate(bytes, `${what} of program '${graph.name}'`);
    memory.push(offset);
    return offset;
  };
  const changed = limited ? allValues(graph) : changedValues(graph);
  const { parts: split, shared } = splitGraph(graph, threads);
  // Groups keep more values at a time. Where nothing is trained, what a cache cannot hold is in chunks already.
  const scheduler = limited || !trains(graph) ? oneByOne : inStages;
  const planned = split.map((part) => planPart(part, engine.lowerOptions, guard, changed, scheduler));
  const own = new Map(shared.map((value) => [value.name as string, engine.tensor(value)]));
  const tensors = new Map([...bound, ...own]);
  const scratchBytes = scratchBytesOf(planned);
  const copiesOf = ({ chunks }: PlannedPart): number => (chunks === null ? 1 : threads);
  const arenaBytes = planned.reduce((sum, part) => sum + copiesOf(part) * part.plan.arenaBytes, 0);
  const scratch = engine.arena.take(scratchBytes * threads + arenaBytes, `the arena of program '${graph.name}'`);
  let next = scratch + scratchBytes * threads;
  const packed = new Set<WasmTensor>();
  const packing: KernelRecord[] = [];
  const parts = planned.map((part): PlacedPart => {
    const at = packAhead(part, tensors, allocate, packed, packing);
    const arenas = Array.from({ length: copiesOf(part) }, (_, copy) => next + copy * part.plan.arenaBytes);
    next += arenas.length * part.plan.arenaBytes;
    const copies = arenas.map((arena) => recordsOf(part, { tensors, arena, packed: at }));
    const moves = part.chunks === null ? [] : movesOf(part, { tensors, arena: arenas[0] as number, packed: at });
    return {
      ...part,
      arenas,
      listing: { copies: copies.map((records) => inOrder(records, part.schedule)), chunks: part.chunks, moves },
      records: copies[0] ?? [],
    };
  });
  const listings = [
    { copies: [packing.map(byItself)], chunks: null, moves: [] },
    ...parts.map(({ listing }) => listing),
  ];
  const code = allocate(codeBytes(listings), 'the records');
  const [first, ...headers] = writeCode(heap, code, listings, { scratch, scratchBytes, barrier, threads });
  return {
    parts,
    tensors,
    own: [...own.values()],
    packed,
    code,
    packing: first as Header,
    headers,
    scratchBytes: scratchBytes * threads,
    memory,
    arena: scratch,
  };
}

function inOrder(records: readonly (readonly KernelRecord[])[], schedule: Schedule): readonly PlacedRecord[] {
  return schedule.records.map(({ op, index, ...turn }) => ({ ...(records[op]?.[index] as KernelRecord), ...turn }));
}

/** Adds the records that pack a part's operands ahead of runs. Gives the places of what they make, by op. */
function packAhead(
  { graph, lowered, packedAhead }: PlannedPart,
  tensors: ReadonlyMap<string, WasmTensor>,
  allocate: (bytes: number, what: string) => number,
  packed: Set<WasmTensor>,
  records: KernelRecord[],
): readonly number[] {
  return packedAhead.map((bytes, index) => {
    const { packing } = lowered[index] as Lowering;
    if (packing === undefined || bytes === 0) return 0;
    const { name = '' } = valueOf(graph, graph.ops[index]?.inputs[packing.input] ?? -1);
    const tensor = tensors.get(name) as WasmTensor;
    const at = allocate(bytes, 'packed operands');
    packed.add(tensor);
    records.push(...packing.records(tensor.offset, at));
    return at;
  });
}
