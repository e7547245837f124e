import {
  BindingError,
  checkBindings,
  compiledGraph,
  DisposedError,
  ValueError,
  type Backend,
  type BackendInfo,
  type BackendMemory,
  type CompileOptions,
  type Graph,
  type Program,
  type Tensor,
  type TensorSpec,
  type TypedArray,
} from '@skiplane/core';
import { arenaBytesOf } from './arena-bytes.ts';
import { detectFeatures, type Binary } from './features.ts';
import { headerBytes } from './header.ts';
import { Heap } from './heap.ts';
import { kernelSetsOf, loadLowerings, type KernelSet } from './lower/index.ts';
import type { ConvAlgorithm, LowerOptions } from './lower/lowering.ts';
import { addKernels, instantiate, loadKernels, loadModule, placeOf, type Exports } from './module.ts';
import { Pool } from './pool.ts';
import { WasmProgram, type Call, type Clock, type Engine } from './program.ts';
import { Queue } from './queue.ts';
import { SharedArena } from './shared-arena.ts';
import { WasmTensor } from './tensor.ts';

export interface WasmBackendOptions {
  /** Compute threads (default: all cores). With 1 the calling thread computes; with more, workers do. */
  readonly threads?: number;
  /** The binary to use (default: `relaxed-simd` where the engine has it). Results are the same bits per binary. */
  readonly binary?: Binary;
  /** How convolutions are computed (default `auto`); `direct` has the tightest error bound. */
  readonly conv?: ConvAlgorithm;
  /** Most memory the backend may take, bytes (default 4 GiB, all that wasm can address). */
  readonly memoryLimit?: number;
}

/**
 * Opens the wasm backend.
 *
 * ```ts
 * const backend = await createWasmBackend({ threads: 2 });
 * console.log(backend.info.device); // wasm relaxed-simd, 2 threads
 * ```
 *
 * @throws {UnsupportedError} when the engine lacks SIMD or the binary asked for
 * @throws {ValueError} when an option is out of range
 */
export async function createWasmBackend(options: WasmBackendOptions = {}): Promise<Backend> {
  const { threads: asked, conv = 'auto', memoryLimit = 2 ** 32 } = options;
  if (asked !== undefined && (!Number.isInteger(asked) || asked < 1 || asked > 256)) {
    throw new ValueError(`threads must be a whole number from 1 to 256, but is ${asked}.`);
  }
  const { binary, threads, downgrades } = await detectFeatures({ binary: options.binary, threads: asked });
  const shared = threads > 1;
  const module = await loadModule(binary, shared);
  const heap = new Heap(shared, memoryLimit);
  const control = heap.allocate(64, 'the control words');
  const barrier = heap.allocate(192, 'the barrier');
  const pool = shared ? await Pool.start(threads, module, heap.memory, control) : undefined;
  const runHere = shared ? undefined : await instantiate(module, heap.memory);
  const info: BackendInfo = {
    // A forced choice belongs to the name: results are other bits.
    device: `wasm ${binary}${conv === 'auto' ? '' : `, convolutions ${conv}`}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    threads,
    features: [binary, ...(shared ? ['threads'] : [])],
    limits: { memoryBytes: memoryLimit },
    downgrades,
  };
  return new WasmBackend(info, binary, heap, barrier, conv, pool, runHere);
}

class WasmBackend implements Backend, Engine {
  readonly name = 'wasm';
  readonly info: BackendInfo;
  readonly binary: Binary;
  readonly heap: Heap;
  readonly arena: SharedArena;
  readonly barrier: number;
  readonly lowerOptions: LowerOptions;
  readonly #pool: Pool | undefined;
  readonly #runHere: Exports | undefined;
  readonly #queue = new Queue();
  /** Kernels that not every program needs, from when one does. */
  readonly #kernels = new Map<KernelSet, Promise<void>>();
  #disposed = false;

  constructor(
    info: BackendInfo,
    binary: Binary,
    heap: Heap,
    barrier: number,
    conv: ConvAlgorithm,
    pool: Pool | undefined,
    runHere: Exports | undefined,
  ) {
    this.info = info;
    this.binary = binary;
    this.heap = heap;
    this.arena = new SharedArena(heap);
    this.barrier = barrier;
    this.lowerOptions = { conv, threads: info.threads };
    this.#pool = pool;
    this.#runHere = runHere;
  }

  get threads(): number {
    return this.info.threads;
  }

  get memory(): BackendMemory {
    const { usedBytes, peakBytes } = this.heap;
    return { usedBytes, peakBytes, sharedBytes: this.arena.bytes };
  }

  tensor(spec: TensorSpec, data?: TypedArray): WasmTensor {
    this.#alive('tensor');
    return new WasmTensor(this.heap, this.#queue, spec, data);
  }

  async compile(graph: Graph, bindings: ReadonlyMap<string, Tensor>, options: CompileOptions = {}): Promise<Program> {
    this.#alive('compile');
    checkBindings(graph, bindings);
    const tensors = new Map<string, WasmTensor>();
    for (const [name, tensor] of bindings) {
      if (!(tensor instanceof WasmTensor)) throw new BindingError(`'${name}' is bound to a tensor of another backend.`);
      if (tensor.disposed) throw new DisposedError(`compile: the tensor bound to '${name}' has been disposed.`);
      tensors.set(name, tensor);
    }
    await this.#queue.settled();
    await Promise.all([...kernelSetsOf(graph.ops)].map((set) => this.#withKernels(set)));
    const compiled = await compiledGraph(graph, options, (candidate) => arenaBytesOf(this, candidate));
    const guards = options.guard === true ? await import('./guard.ts') : null;
    return new WasmProgram(this, compiled, tensors, options, guards);
  }

  execute(calls: readonly Call[], check: () => void, clock: Clock): Promise<readonly (readonly number[])[]> {
    this.#alive('run');
    return this.#queue.enqueue(async () => {
      const times: (readonly number[])[] = [];
      for (const call of calls) {
        const { first, count } = call;
        call.prepare();
        if (this.#pool !== undefined) times.push(await this.#pool.run(first, count));
        else times.push(runOnCaller(this.#runHere, first, count, clock));
      }
      check();
      return times;
    });
  }

  #withKernels(set: KernelSet): Promise<void> {
    const known = this.#kernels.get(set);
    if (known !== undefined) return known;
    const loading = this.#loadKernels(set);
    this.#kernels.set(set, loading);
    return loading;
  }

  async #loadKernels(set: KernelSet): Promise<void> {
    const place = placeOf(set);
    const [module] = await Promise.all([loadKernels(set, this.binary, this.#pool !== undefined), loadLowerings(set)]);
    const added = this.#queue.enqueue(async () => {
      await this.#pool?.addKernels(module, place);
      if (this.#runHere !== undefined) await addKernels(this.#runHere, module, place, this.heap.memory);
    });
    if (this.#pool === undefined) return added;
    // Threads may not have started yet: runs wait for them, compiling does not. A pool that fails rejects every run after it.
    added.catch(() => undefined);
    return undefined;
  }

  afterwards(action: () => void): void {
    this.#queue.add(action);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#pool?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #alive(action: string): void {
    if (this.#disposed) throw new DisposedError(`${action}: the wasm backend has been disposed.`);
  }
}

/** Runs programs on the calling thread and gives the time of each. */
function runOnCaller(exports: Exports | undefined, first: number, count: number, clock: Clock): readonly number[] {
  const times: number[] = [];
  for (let i = 0, start = clock(); i < count; i++) {
    exports?.run(first + i * headerBytes, 0);
    const end = clock();
    times.push(end - start);
    start = end;
  }
  return times;
}
