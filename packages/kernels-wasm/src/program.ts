import {
  DisposedError,
  GuardError,
  opDef,
  planMemory,
  valueOf,
  type CompileOptions,
  type Graph,
  type MemoryPlan,
  type Op,
  type OpCost,
  type OpKind,
  type OpReport,
  type Profile,
  type Program,
  type ProgramReport,
  type TensorSpec,
  type ValueId,
} from '@skiplane/core';
import { headerBytes, splitHeader, writeHeader, type Header } from './header.ts';
import type { Heap } from './heap.ts';
import { lowerings } from './lower/index.ts';
import {
  align,
  type Addresses,
  type KernelRecord,
  type Lower,
  type LowerOptions,
  type Lowering,
} from './lower/lowering.ts';
import { guardBytes, guardWord, type WasmTensor } from './tensor.ts';

/** What a program needs of its backend. */
export interface Engine {
  readonly name: string;
  readonly binary: string;
  readonly threads: number;
  readonly heap: Heap;
  /** Byte offset of the barrier's three cache lines. */
  readonly barrier: number;
  readonly lowerOptions: LowerOptions;
  /**
   * Runs programs on all threads, after all earlier calls; `prepare` and `check` around them. Gives the milliseconds of each.
   * @param first  byte offset of the first header; the others follow it
   */
  execute(first: number, count: number, prepare: () => void, check: () => void): Promise<readonly number[]>;
  /** Frees memory once all earlier calls have ended. */
  release(offsets: readonly number[]): void;
}

export class WasmProgram implements Program {
  readonly report: ProgramReport;
  readonly #engine: Engine;
  readonly #tensors: ReadonlyMap<string, WasmTensor>;
  readonly #plan: MemoryPlan;
  readonly #guard: boolean;
  readonly #arena: number;
  /** Byte offset of the header; the records follow it. */
  readonly #code: number;
  readonly #header: Header;
  /** Records of each op. */
  readonly #recordCounts: readonly number[];
  /** Byte offset of the headers of the ops that have records, once they were profiled. */
  #opHeaders: number | undefined;
  #disposed = false;

  constructor(engine: Engine, graph: Graph, tensors: ReadonlyMap<string, WasmTensor>, options: CompileOptions) {
    this.#engine = engine;
    this.#tensors = tensors;
    this.#guard = options.guard ?? false;
    const lowered = graph.ops.map((op) => lower(graph, op, engine.lowerOptions));
    const plan = planMemory(graph, {
      alignment: 64,
      gap: this.#guard ? guardBytes : 0,
      workspaceBytes: lowered.map(({ workspaceBytes }) => workspaceBytes),
    });
    this.#plan = plan;
    const { heap, threads } = engine;
    const scratchBytes = align(Math.max(0, ...lowered.map((lowering) => lowering.scratchBytes))) + guardBytes;
    this.report = report(engine, graph, lowered, plan, scratchBytes * threads);

    this.#arena = heap.allocate(plan.arenaBytes, `the arena of program '${graph.name}'`);
    const scratch = heap.allocate(scratchBytes * threads, `scratch of program '${graph.name}'`);
    const recordsOfOps = lowered.map((lowering, index) =>
      lowering.records(this.#addresses(graph, graph.ops[index] as Op, index)),
    );
    this.#recordCounts = recordsOfOps.map(({ length }) => length);
    const kernelRecords = recordsOfOps.flat();
    const recordCount = kernelRecords.length;
    const recordBytes = 4 * (2 + Math.max(0, ...kernelRecords.map(({ words }) => words.length)));
    const codeBytes = headerBytes + recordCount * (recordBytes + 4);
    this.#code = heap.allocate(codeBytes, `the records of program '${graph.name}'`);
    const records = this.#code + headerBytes;
    const counters = records + recordCount * recordBytes;
    const { barrier } = engine;
    this.#header = { records, recordCount, recordBytes, counters, scratch, scratchBytes, barrier, threads };
    writeHeader(heap, this.#code, this.#header);
    kernelRecords.forEach((record, index) => writeRecord(heap, records + index * recordBytes, record));
  }

  async run(): Promise<void> {
    this.#alive('run');
    await this.#execute(this.#code, this.#header.recordCount === 0 ? 0 : 1);
  }

  /** On several threads, an op ends when the last of them has reached the barrier behind it. */
  async profile(): Promise<Profile> {
    this.#alive('profile');
    const counts = this.#recordCounts.filter((count) => count > 0);
    this.#opHeaders ??= this.#writeOpHeaders(counts);
    const times = (await this.#execute(this.#opHeaders, counts.length)).values();
    const ops = this.report.ops.map((op, index) => ({
      ...op,
      milliseconds: this.#recordCounts[index] === 0 ? 0 : (times.next().value ?? 0),
    }));
    return { method: 'clock', ops };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const opHeaders = this.#opHeaders === undefined ? [] : [this.#opHeaders];
    this.#engine.release([this.#arena, this.#header.scratch, this.#code, ...opHeaders]);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #execute(first: number, count: number): Promise<readonly number[]> {
    const prepare = (): void => this.#prepare();
    return this.#engine.execute(first, count, prepare, () => this.#check());
  }

  /** @throws {DisposedError} */
  #alive(action: string): void {
    if (this.#disposed) throw new DisposedError(`${action}: the program has been disposed.`);
    for (const [name, tensor] of this.#tensors) {
      if (tensor.disposed) throw new DisposedError(`${action}: the tensor bound to '${name}' has been disposed.`);
    }
  }

  /** Programs of one op each, which share the records of this one. */
  #writeOpHeaders(counts: readonly number[]): number {
    const { heap } = this.#engine;
    const first = heap.allocate(counts.length * headerBytes, 'the records of a profile');
    splitHeader(this.#header, counts).forEach((header, i) => writeHeader(heap, first + i * headerBytes, header));
    return first;
  }

  #prepare(): void {
    const { heap } = this.#engine;
    heap.i32(this.#header.counters, this.#header.recordCount).fill(0);
    if (!this.#guard) return;
    heap.f32(this.#arena, this.#plan.arenaBytes / 4).fill(Number.NaN);
    for (const offset of this.#guardOffsets()) heap.i32(offset, guardBytes / 4).fill(guardWord);
  }

  #check(): void {
    if (!this.#guard) return;
    const { heap } = this.#engine;
    for (const offset of this.#guardOffsets()) {
      if (heap.i32(offset, guardBytes / 4).some((word) => word !== guardWord)) {
        const block = this.#plan.blocks.find(({ offset: start, bytes }) => this.#arena + start + bytes === offset);
        const ops = this.report.ops
          .slice(block?.firstOp, (block?.lastOp ?? 0) + 1)
          .map(({ kind, label }) => `${kind} '${label}'`);
        throw new GuardError(
          `a kernel wrote behind a block of ${block?.bytes} bytes that these ops use: ${ops.join(', ')}.`,
          { block },
        );
      }
    }
    for (const [name, tensor] of this.#tensors) {
      if (heap.i32(tensor.guardOffset, guardBytes / 4).some((word) => word !== guardWord)) {
        throw new GuardError(`a kernel wrote behind the tensor '${name}'.`, { name });
      }
    }
  }

  #guardOffsets(): readonly number[] {
    return this.#plan.blocks.map(({ offset, bytes }) => this.#arena + offset + bytes);
  }

  #addresses(graph: Graph, op: Op, index: number): Addresses {
    const addressOf = (id: ValueId): number => {
      const storage = this.#plan.storage.get(id);
      if (storage === undefined) throw new RangeError(`value ${id} of graph '${graph.name}' has no storage`);
      return storage.kind === 'arena'
        ? this.#arena + storage.offset
        : (this.#tensors.get(storage.name) as WasmTensor).offset;
    };
    return {
      input: (position) => addressOf(op.inputs[position] as ValueId),
      output: (position) => addressOf(op.outputs[position] as ValueId),
      workspace: this.#arena + (this.#plan.workspace[index] ?? 0),
    };
  }
}

function lower<K extends OpKind>(graph: Graph, op: Op<K>, options: LowerOptions): Lowering {
  const specs = (ids: readonly ValueId[]) => ids.map((id) => valueOf(graph, id));
  const rule = lowerings[op.kind] as unknown as Lower<K>;
  return rule({ attrs: op.attrs as never, inputs: specs(op.inputs), outputs: specs(op.outputs), options });
}

function writeRecord(heap: Heap, offset: number, { opcode, tasks, words }: KernelRecord): void {
  const integers = heap.i32(offset, 2 + words.length);
  const floats = heap.f32(offset, 2 + words.length);
  integers[0] = opcode;
  integers[1] = tasks;
  words.forEach(([type, value], i) => {
    if (type === 'f32') floats[2 + i] = value;
    else integers[2 + i] = value;
  });
}

function costOf<K extends OpKind>(op: Op<K>, inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): OpCost {
  return opDef<K>(op.kind).cost(inputs, outputs, op.attrs);
}

function report(
  engine: Engine,
  graph: Graph,
  lowered: readonly Lowering[],
  plan: MemoryPlan,
  scratchBytes: number,
): ProgramReport {
  const specs = (ids: readonly ValueId[]) => ids.map((id) => valueOf(graph, id));
  const ops = graph.ops.map((op, index): OpReport => {
    return {
      kind: op.kind,
      label: op.label,
      kernels: (lowered[index] as Lowering).kernels.map((kernel) => `${kernel}.${engine.binary}`),
      cost: costOf(op, specs(op.inputs), specs(op.outputs)),
    };
  });
  return { backend: engine.name, ops, arenaBytes: plan.arenaBytes, workspaceBytes: scratchBytes };
}
