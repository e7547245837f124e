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
  type Program,
  type ProgramReport,
  type TensorSpec,
  type ValueId,
} from '@skiplane/core';
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
  /** Runs the program at a byte offset on all threads, after all earlier calls; `prepare` and `check` around it. */
  execute(program: number, prepare: () => void, check: () => void): Promise<void>;
  /** Frees memory once all earlier calls have ended. */
  release(offsets: readonly number[]): void;
}

/** Words of the program's header, as in assembly/program.ts. */
const headerWords = 8;

export class WasmProgram implements Program {
  readonly report: ProgramReport;
  readonly #engine: Engine;
  readonly #tensors: ReadonlyMap<string, WasmTensor>;
  readonly #plan: MemoryPlan;
  readonly #guard: boolean;
  readonly #arena: number;
  readonly #code: number;
  readonly #counters: { readonly offset: number; readonly count: number };
  readonly #scratch: number;
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
    this.#scratch = heap.allocate(scratchBytes * threads, `scratch of program '${graph.name}'`);
    const records = lowered.flatMap((lowering, index) =>
      lowering.records(this.#addresses(graph, graph.ops[index] as Op, index)),
    );
    const recordWords = 2 + Math.max(0, ...records.map(({ words }) => words.length));
    const words = headerWords + records.length * (recordWords + 1);
    this.#code = heap.allocate(words * 4, `the records of program '${graph.name}'`);
    const firstRecord = this.#code + headerWords * 4;
    this.#counters = { offset: firstRecord + records.length * recordWords * 4, count: records.length };
    heap
      .i32(this.#code, headerWords)
      .set([
        firstRecord,
        records.length,
        recordWords * 4,
        this.#counters.offset,
        this.#scratch,
        scratchBytes,
        engine.barrier,
        threads,
      ]);
    records.forEach((record, index) => writeRecord(heap, firstRecord + index * recordWords * 4, record));
  }

  run(): Promise<void> {
    if (this.#disposed) return Promise.reject(new DisposedError('run: the program has been disposed.'));
    for (const [name, tensor] of this.#tensors) {
      if (tensor.disposed)
        return Promise.reject(new DisposedError(`run: the tensor bound to '${name}' has been disposed.`));
    }
    return this.#engine.execute(
      this.#code,
      () => this.#prepare(),
      () => this.#check(),
    );
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#engine.release([this.#arena, this.#scratch, this.#code]);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #prepare(): void {
    const { heap } = this.#engine;
    heap.i32(this.#counters.offset, this.#counters.count).fill(0);
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
