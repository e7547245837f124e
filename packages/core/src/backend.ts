import type { Graph } from './graph.ts';
import type { OpCost } from './ops/op-def.ts';
import type { OpKind } from './ops/attrs.ts';
import type { Tensor, TensorSpec, TypedArray } from './tensor.ts';

/** Something asked for that could not be had, and why; a backend never hides one. */
export interface Downgrade {
  readonly feature: string;
  readonly reason: string;
}

export interface BackendInfo {
  /** The device in words, such as `wasm relaxed-simd, 2 threads`. */
  readonly device: string;
  readonly threads: number;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly downgrades: readonly Downgrade[];
}

export interface CompileOptions {
  /** Rewrite the graph into fused ops first (default true). */
  readonly fuse?: boolean;
  /** Debugging: fill the arena with NaN before each run, and throw {@link GuardError} when an op wrote outside its operands. */
  readonly guard?: boolean;
  /** Most bytes for the values between ops: what does not fit is dropped and recomputed, to the same bits (default: no limit). */
  readonly arenaLimitBytes?: number | undefined;
}

/** What is computed twice to fit in a limit. */
export interface Recomputation {
  readonly ops: number;
  /** Of the arithmetic of the graph. */
  readonly share: number;
  /** What the values between ops would take without it. */
  readonly wholeBytes: number;
}

/** Device memory of all tensors and programs of a backend, in bytes. */
export interface BackendMemory {
  readonly usedBytes: number;
  /** The most that was in use at one time. */
  readonly peakBytes: number;
  /** Of what is in use, what new programs may take for their values, too; left out where programs have memory of their own. */
  readonly sharedBytes?: number;
}

export interface OpReport {
  readonly kind: OpKind;
  readonly label: string;
  /** Kernels as specifications, such as `conv2d.direct-2x16.relaxed-simd`. */
  readonly kernels: readonly string[];
  readonly cost: OpCost;
}

/** What compile decided. Bytes exclude the tensors that the caller owns. */
export interface ProgramReport {
  readonly backend: string;
  readonly ops: readonly OpReport[];
  readonly arenaBytes: number;
  readonly workspaceBytes: number;
  /** Null, or left out, without a limit. */
  readonly recomputation?: Recomputation | null;
}

/**
 * How the times of a profile were taken.
 *
 * - `clock`: the processor's clock around each op; on several threads, from the first to start to the last to end
 * - `timestamps`: the device's clock at the begin and the end of each op, as fine as the device lets on
 * - `submissions`: the processor's clock around one submission an op; holds the way to the device and back
 */
export type ProfileMethod = 'clock' | 'timestamps' | 'submissions';

export interface OpTiming extends OpReport {
  /** 0 for an op that computes nothing, such as a reshape. */
  readonly milliseconds: number;
}

/** The times of one run. */
export interface Profile {
  readonly method: ProfileMethod;
  /** The ops of the program's report, in order. */
  readonly ops: readonly OpTiming[];
}

/** A compiled graph: every decision is taken, a run allocates nothing. */
export interface Program extends Disposable {
  readonly report: ProgramReport;
  /** Executes the graph once; resolves when its inputs may be overwritten. */
  run(): Promise<void>;
  /** Executes the graph once, as `run` does and with the same results, but each op by itself and timed; resolves when all is done. */
  profile(): Promise<Profile>;
  dispose(): void;
}

/**
 * A device that holds tensors and runs programs. Calls take effect in call order; `Tensor.read` is the only wait
 * for results; an error of `run` surfaces there, or at the next `run` or `read`.
 */
export interface Backend extends Disposable {
  readonly name: string;
  readonly info: BackendInfo;
  /** Where the backend can tell. */
  readonly memory?: BackendMemory;
  /** A new tensor, of zeros or a copy of `data`. @throws {ShapeError} when `data` does not fit. */
  tensor(spec: TensorSpec, data?: TypedArray): Tensor;
  /**
   * Binds every named value of the graph to a tensor of this backend and decides all the rest.
   * @throws {BindingError} listing every name that has no tensor, or one that does not fit
   */
  compile(graph: Graph, bindings: ReadonlyMap<string, Tensor>, options?: CompileOptions): Promise<Program>;
  dispose(): void;
}
