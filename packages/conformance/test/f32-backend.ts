import {
  allocate,
  checkBindings,
  DisposedError,
  elementCount,
  formatSpec,
  fuse,
  GuardError,
  opDef,
  planMemory,
  ShapeError,
  valueOf,
  type Backend,
  type CompileOptions,
  type DType,
  type Graph,
  type Op,
  type OpReport,
  type OpTiming,
  type Profile,
  type Program,
  type ProgramReport,
  type Tensor,
  type TensorSpec,
  type TypedArray,
  type ValueId,
} from '@skiplane/core';
import { runOp } from '@skiplane/core/reference';

/** An error planted in the backend: changes an op before it runs, or its results after. */
export interface Fault {
  change?(op: Op): Op;
  /** @param room  the arena from the first result on, as an overrunning kernel would reach it; undefined in a caller's tensor */
  spoil?(
    op: Op,
    results: readonly Float32Array[],
    inputs: readonly Float32Array[],
    room: Float32Array | undefined,
  ): void;
}

/**
 * The plainest real backend in f32: each op in float64 by the reference, its results rounded, its values in one arena that
 * core's planner lays out. With `fault` it is wrong in a way of its own.
 */
export class F32Backend implements Backend {
  readonly name = 'f32';
  readonly info = { device: 'reference rounded to f32', threads: 1, features: [], limits: {}, downgrades: [] };
  readonly #fault: Fault;
  readonly #queue = new Queue();

  constructor(fault: Fault = {}) {
    this.#fault = fault;
  }

  tensor(spec: TensorSpec, data?: TypedArray): F32Tensor {
    const tensor = new F32Tensor(spec, this.#queue);
    if (data !== undefined) tensor.write(data);
    return tensor;
  }

  async compile(graph: Graph, bindings: ReadonlyMap<string, Tensor>, options: CompileOptions = {}): Promise<Program> {
    checkBindings(graph, bindings);
    const executed = options.fuse === false ? graph : fuse(graph);
    return new F32Program(executed, bindings as ReadonlyMap<string, F32Tensor>, {
      guard: options.guard ?? false,
      fault: this.#fault,
      queue: this.#queue,
    });
  }

  dispose(): void {}
  [Symbol.dispose](): void {}
}

/** Runs one thing after the other. */
class Queue {
  #last: Promise<unknown> = Promise.resolve();

  add<T>(act: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(act);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

class F32Tensor implements Tensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: Float32Array;
  readonly #queue: Queue;
  disposed = false;

  constructor(spec: TensorSpec, queue: Queue) {
    this.shape = spec.shape;
    this.dtype = spec.dtype;
    this.data = new Float32Array(elementCount(spec.shape));
    this.#queue = queue;
  }

  write(data: TypedArray): void {
    this.#check('write');
    if (data.constructor !== allocate(this.dtype, 0).constructor || data.length !== this.data.length) {
      throw new ShapeError(`write: ${formatSpec(this)} does not take a ${data.constructor.name} of ${data.length}.`);
    }
    const copy = data.slice();
    void this.#queue.add(() => this.data.set(copy));
  }

  async read(): Promise<TypedArray> {
    this.#check('read');
    return this.#queue.add(() => {
      const copy = allocate(this.dtype, this.data.length);
      copy.set(this.data);
      return copy;
    });
  }

  dispose(): void {
    this.disposed = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #check(asked: string): void {
    if (this.disposed) throw new DisposedError(`${asked}: the tensor has been disposed.`);
  }
}

interface ProgramSettings {
  readonly guard: boolean;
  readonly fault: Fault;
  readonly queue: Queue;
}

const alignment = 64;
const sentinel = 0x7fc0_dead;

class F32Program implements Program {
  readonly report: ProgramReport;
  readonly #graph: Graph;
  readonly #bindings: ReadonlyMap<string, F32Tensor>;
  readonly #settings: ProgramSettings;
  readonly #plan;
  readonly #arena: Float32Array;
  #disposed = false;

  constructor(graph: Graph, bindings: ReadonlyMap<string, F32Tensor>, settings: ProgramSettings) {
    this.#graph = graph;
    this.#bindings = bindings;
    this.#settings = settings;
    this.#plan = planMemory(graph, { alignment, gap: settings.guard ? alignment : 0 });
    this.#arena = new Float32Array(this.#plan.arenaBytes / 4);
    this.report = {
      backend: 'f32',
      ops: graph.ops.map(({ kind, label }) => ({
        kind,
        label,
        kernels: [`${kind}.f32`],
        cost: { flops: 0, bytes: 0 },
      })),
      arenaBytes: this.#plan.arenaBytes,
      workspaceBytes: 0,
    };
  }

  async run(): Promise<void> {
    await this.profile();
  }

  async profile(): Promise<Profile> {
    if (this.#disposed) throw new DisposedError('run: the program has been disposed.');
    const gone = [...this.#bindings].filter(([, tensor]) => tensor.disposed).map(([name]) => `'${name}'`);
    if (gone.length > 0) throw new DisposedError(`run: the tensors of ${gone.join(', ')} have been disposed.`);
    const ops: OpTiming[] = [];
    await this.#settings.queue.add(() => this.#execute(ops));
    return { method: 'clock', ops };
  }

  async #execute(timings: OpTiming[]): Promise<void> {
    const words = new Uint32Array(this.#arena.buffer);
    if (this.#settings.guard) words.fill(sentinel);
    for (const [index, op] of this.#graph.ops.entries()) {
      const start = performance.now();
      await this.#executeOp(op);
      timings.push({ ...(this.report.ops[index] as OpReport), milliseconds: performance.now() - start });
      if (this.#settings.guard) this.#checkSentinels(op, words);
    }
  }

  async #executeOp(op: Op): Promise<void> {
    if (opDef(op.kind).aliases?.some(({ kind }) => kind === 'view')) return;
    const { fault } = this.#settings;
    const inputs = op.inputs.map((id) => this.#memory(id));
    const operands = inputs.map((data) => Float64Array.from(data));
    const outputs = op.outputs.map((id) => this.#memory(id));
    const results = await runOp('values', { graph: this.#graph, op: fault.change?.(op) ?? op, operands });
    const [storage] = op.outputs.map((id) => this.#plan.storage.get(id));
    outputs.forEach((data, i) => data.set(results[i] ?? []));
    fault.spoil?.(
      op,
      outputs,
      inputs,
      storage?.kind === 'arena' ? this.#arena.subarray(storage.offset / 4) : undefined,
    );
  }

  #memory(id: ValueId): Float32Array {
    const storage = this.#plan.storage.get(id);
    if (storage?.kind === 'tensor') return this.#bindings.get(storage.name)?.data ?? new Float32Array();
    const start = (storage?.offset ?? 0) / 4;
    return this.#arena.subarray(start, start + elementCount(valueOf(this.#graph, id).shape));
  }

  /** Between the blocks that are in use, the sentinels must stand. */
  #checkSentinels(op: Op, words: Uint32Array): void {
    for (const { offset, bytes } of this.#plan.blocks) {
      const gap = words.subarray((offset + bytes) / 4, (offset + bytes + alignment) / 4);
      if (
        this.#plan.blocks.some(
          (other) => other.offset < offset + bytes + alignment && other.offset + other.bytes > offset + bytes,
        )
      )
        continue;
      if (gap.some((word) => word !== sentinel)) throw new GuardError(`${op.kind} wrote outside its operands.`);
    }
  }

  dispose(): void {
    this.#disposed = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
