import {
  DisposedError,
  type CompiledGraph,
  type CompileOptions,
  type Graph,
  type Op,
  type OpReport,
  type Profile,
  type Program,
  type ProgramReport,
  type TensorSpec,
} from '@skiplane/core';
import { assemble, type Assembled, type PlacedPart } from './assemble.ts';
import { byItself, codeBytes, moveTo, writeCode } from './code.ts';
import type * as guard from './guard.ts';
import { headerBytes, splitHeader, writeHeader, type Header } from './header.ts';
import type { Heap } from './heap.ts';
import type { LowerOptions } from './lower/lowering.ts';
import { changedValues } from './plan-part.ts';
import { report } from './report.ts';
import type { SharedArena } from './shared-arena.ts';
import type { WasmTensor } from './tensor.ts';

/** Headers that all threads run one after another. */
export interface Call {
  /** Byte offset of the first header; the others follow it. */
  readonly first: number;
  readonly count: number;
  /** Done on the calling thread beforehand. */
  prepare(): void;
}

/** Milliseconds since some moment. */
export type Clock = () => number;

/** For runs that nobody times: Node takes milliseconds to load the real one. */
const noClock: Clock = () => 0;

/** What watches for writes of kernels outside of what is theirs. */
type Guards = typeof guard;

/** What a program needs of its backend. */
export interface Engine {
  readonly name: string;
  readonly binary: string;
  readonly threads: number;
  readonly heap: Heap;
  readonly arena: SharedArena;
  /** Byte offset of the barrier's three cache lines. */
  readonly barrier: number;
  readonly lowerOptions: LowerOptions;
  tensor(spec: TensorSpec): WasmTensor;
  /** Makes calls after all earlier ones, and then `check`. Gives the time of each header of each call by `clock`, or by that of a worker. */
  execute(calls: readonly Call[], check: () => void, clock: Clock): Promise<readonly (readonly number[])[]>;
  /** Does something once all earlier calls have ended. */
  afterwards(action: () => void): void;
}

/** Ops of a part that have records, the header of all of them, and the byte offsets of those of each and of all that a profile needs. */
interface TimedOps {
  readonly ops: readonly Op[];
  readonly whole: Header;
  readonly headers: number;
  readonly memory: number;
}

export class WasmProgram implements Program {
  readonly report: ProgramReport;
  readonly #engine: Engine;
  readonly #graph: Graph;
  readonly #guards: Guards | null;
  readonly #assembled: Assembled;
  /** The versions of the tensors that were packed last. */
  readonly #packed = new Map<WasmTensor, number>();
  /** Tensors that a run changes. */
  readonly #changed: readonly WasmTensor[];
  /** By part, once they were profiled. */
  #timedOps: readonly TimedOps[] | undefined;
  #disposed = false;

  constructor(
    engine: Engine,
    { graph, recomputation }: CompiledGraph,
    bound: ReadonlyMap<string, WasmTensor>,
    { arenaLimitBytes }: CompileOptions,
    guards: Guards | null,
  ) {
    this.#engine = engine;
    this.#graph = graph;
    this.#guards = guards;
    this.#assembled = assemble(engine, graph, bound, {
      guard: guards !== null,
      limited: arenaLimitBytes !== undefined,
    });
    this.#changed = [...changedValues(graph)].flatMap((id) => bound.get(graph.values[id]?.name ?? '') ?? []);
    this.report = { ...report(engine, graph, this.#assembled), recomputation };
  }

  async run(): Promise<void> {
    this.#alive('run');
    const { code, headers } = this.#assembled;
    const prepare = (): void => headers.forEach(this.#zero);
    await this.#execute([{ first: code + headerBytes, count: headers.length, prepare }], noClock);
  }

  /**
   * On several threads, an op ends when the last of them has reached the barrier behind it. Of a part in chunks, they run the
   * ops together, and an op's time is the sum over the chunks.
   */
  async profile(): Promise<Profile> {
    this.#alive('profile');
    this.#timedOps ??= this.#assembled.parts.map((_, index) => this.#writeOpHeaders(index));
    const timed = this.#timedOps;
    const calls = timed.flatMap(({ ops, whole, headers }, index) =>
      this.#chunkStarts(index, whole).map((prepare) => ({ ops, first: headers, count: ops.length, prepare })),
    );
    const times = await this.#execute(calls, () => performance.now());
    const milliseconds = new Map<Op, number>();
    calls.forEach(({ ops }, call) =>
      ops.forEach((op, i) => milliseconds.set(op, (milliseconds.get(op) ?? 0) + (times[call]?.[i] ?? 0))),
    );
    const ops = this.#graph.ops.map((op, index) => ({
      ...(this.report.ops[index] as OpReport),
      milliseconds: milliseconds.get(op) ?? 0,
    }));
    return { method: 'clock', ops };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const { memory, own, arena } = this.#assembled;
    const timed = this.#timedOps ?? [];
    this.#engine.afterwards(() => {
      for (const offset of [...memory, ...timed.map(({ memory: records }) => records)])
        this.#engine.heap.release(offset);
      this.#engine.arena.giveBack(arena);
    });
    own.forEach((tensor) => tensor.dispose());
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Makes calls, after packing what has changed since it was packed last. Gives the time of each header of each call. */
  async #execute(calls: readonly Call[], clock: Clock): Promise<readonly (readonly number[])[]> {
    const { packed, packing, code } = this.#assembled;
    const before: Call[] = [];
    if ([...packed].some((tensor) => this.#packed.get(tensor) !== tensor.version)) {
      before.push({ first: code, count: 1, prepare: () => this.#zero(packing) });
    }
    for (const tensor of packed) this.#packed.set(tensor, tensor.version);
    for (const tensor of this.#changed) tensor.changed();
    const { heap } = this.#engine;
    const guards = this.#guards;
    if (guards !== null) before.push({ first: 0, count: 0, prepare: () => guards.setGuards(heap, this.#assembled) });
    const check = (): void => guards?.checkGuards(heap, this.#assembled);
    const times = await this.#engine.execute([...before, ...calls], check, clock);
    return times.slice(before.length);
  }

  /** A list of a part's records in the order of its ops, and headers of one op each; of the first thread's where there are chunks. */
  #writeOpHeaders(index: number): TimedOps {
    const { heap } = this.#engine;
    const { graph, records, listing } = this.#assembled.parts[index] as PlacedPart;
    const ops = graph.ops.filter((_, op) => records[op]?.length !== 0);
    const list = { ...listing, copies: [records.flat().map(byItself)] };
    const listBytes = codeBytes([list]);
    const memory = heap.allocate(listBytes + ops.length * headerBytes, 'the records of a profile');
    const [whole] = writeCode(heap, memory, [list], this.#assembled.headers[index] as Header) as [Header];
    const counts = records.map(({ length }) => length).filter((count) => count > 0);
    const headers = memory + listBytes;
    splitHeader(whole, counts).forEach((header, i) => writeHeader(heap, headers + i * headerBytes, header));
    return { ops, whole, headers, memory };
  }

  /** What readies a part for each of its chunks, or for the whole batch. */
  #chunkStarts(index: number, header: Header): readonly (() => void)[] {
    const { heap } = this.#engine;
    const { chunks, listing } = this.#assembled.parts[index] as PlacedPart;
    if (chunks === null) return [() => this.#zero(header)];
    return Array.from({ length: chunks.count }, (_, chunk) => () => {
      this.#zero(header);
      moveTo(heap, header, listing.moves, Math.min(chunk * chunks.images, chunks.lastFirst));
    });
  }

  /** @throws {DisposedError} */
  #alive(action: string): void {
    if (this.#disposed) throw new DisposedError(`${action}: the program has been disposed.`);
    for (const [name, tensor] of this.#assembled.tensors) {
      if (tensor.disposed) throw new DisposedError(`${action}: the tensor bound to '${name}' has been disposed.`);
    }
  }

  readonly #zero = ({ counters, recordCount }: Header): void => {
    this.#engine.heap.i32(counters, recordCount).fill(0);
  };
}
