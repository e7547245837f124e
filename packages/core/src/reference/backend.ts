import type { Backend, BackendInfo, CompileOptions, Program } from '../backend.ts';
import { checkBindings } from '../bindings.ts';
import { BindingError, DisposedError } from '../errors.ts';
import { compiledGraph } from '../compiled-graph.ts';
import { arenaBytes } from '../rematerialize.ts';
import type { Graph } from '../graph.ts';
import type { Tensor, TensorSpec, TypedArray } from '../tensor.ts';
import { kernels } from './kernels/index.ts';
import { magnitudeKernels } from './magnitudes.ts';
import { ReferenceProgram } from './program.ts';
import { HostTensor, type ReferenceTensor } from './tensor.ts';

export interface ReferenceOptions {
  /** Compute Σ|terms| in place of Σ terms, for error bounds: see {@link magnitudeKernels} (default false). */
  readonly magnitudes?: boolean;
}

export interface ReferenceBackend extends Backend {
  tensor(spec: TensorSpec, data?: TypedArray): ReferenceTensor;
}

/**
 * The backend that defines what every op computes: plain loops in float64 over one array a value.
 * Data is f32 where it enters by `write` and rounded to f32 where it leaves by `read`; in between nothing is rounded.
 * Graphs run as they are given: fusion is off unless asked for.
 */
export function createReferenceBackend(options: ReferenceOptions = {}): ReferenceBackend {
  return new HostBackend(options.magnitudes ?? false);
}

class HostBackend implements ReferenceBackend {
  readonly name = 'reference';
  readonly info: BackendInfo;
  readonly #magnitudes: boolean;
  readonly #owner = { disposed: false };

  constructor(magnitudes: boolean) {
    this.#magnitudes = magnitudes;
    this.info = {
      device: magnitudes ? 'float64 loops over magnitudes' : 'float64 loops',
      threads: 1,
      features: magnitudes ? ['float64', 'magnitudes'] : ['float64'],
      limits: {},
      downgrades: [],
    };
  }

  tensor(spec: TensorSpec, data?: TypedArray): ReferenceTensor {
    this.#check('tensor');
    return new HostTensor(this.#owner, spec, data);
  }

  async compile(graph: Graph, bindings: ReadonlyMap<string, Tensor>, options: CompileOptions = {}): Promise<Program> {
    this.#check('compile');
    checkBindings(graph, bindings);
    const own = new Map<string, HostTensor>();
    for (const [name, tensor] of bindings) {
      if (tensor instanceof HostTensor && tensor.owner === this.#owner) own.set(name, tensor);
    }
    const foreign = [...bindings.keys()].filter((name) => !own.has(name));
    if (foreign.length > 0) {
      const problems = foreign.map((name) => `the tensor of '${name}' belongs to another backend`);
      throw new BindingError(`cannot bind graph '${graph.name}': ${problems.join('; ')}.`, { problems });
    }
    const gone = [...own].filter(([, tensor]) => tensor.disposed).map(([name]) => name);
    if (gone.length > 0) {
      const names = gone.map((name) => `'${name}'`).join(', ');
      throw new DisposedError(`cannot bind graph '${graph.name}': the tensors of ${names} have been disposed.`, {
        names: gone,
      });
    }
    const table = this.#magnitudes ? magnitudeKernels : kernels;
    const compiled = await compiledGraph(graph, { fuse: false, ...options }, arenaBytes);
    return new ReferenceProgram(compiled, own, table, options.guard ?? false);
  }

  dispose(): void {
    this.#owner.disposed = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #check(asked: string): void {
    if (this.#owner.disposed)
      throw new DisposedError(`${asked}: the reference backend has been disposed; make a new one.`);
  }
}
