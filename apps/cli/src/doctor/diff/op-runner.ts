import {
  allocate,
  elementCount,
  formatSpec,
  valueOf,
  type Backend,
  type Graph,
  type Op,
  type Program,
  type Tensor,
  type TypedArray,
} from '@skiplane/core';
import { singleOpGraph } from '@skiplane/core/reference';

/** What a backend made of one op: the elements of every result, and the kernels that computed them. */
export interface OpRun {
  readonly results: readonly TypedArray[];
  readonly kernels: readonly string[];
}

interface CompiledOp {
  readonly program: Program;
  readonly inputs: readonly Tensor[];
  readonly results: readonly Tensor[];
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Runs ops of a graph one by one. Ops of one kind, with the same attributes and shapes, share a program. */
export class OpRunner implements Disposable {
  readonly #backend: Backend;
  readonly #compiled = new Map<string, CompiledOp>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** Runs an op on the given operands; the results hold NaN before, so that an element that nobody writes shows. */
  async run(graph: Graph, op: Op, operands: readonly TypedArray[]): Promise<OpRun> {
    const { program, inputs, results } = await this.#program(graph, op);
    for (const tensor of results) tensor.write(allocate(tensor.dtype, elementCount(tensor.shape)).fill(Number.NaN));
    operands.forEach((data, i) => inputs[i]?.write(data));
    await program.run();
    const read: TypedArray[] = [];
    for (const tensor of results) read.push(await tensor.read());
    return { results: read, kernels: program.report.ops.flatMap(({ kernels }) => kernels) };
  }

  dispose(): void {
    for (const { program, tensors } of this.#compiled.values()) {
      program.dispose();
      for (const tensor of tensors.values()) tensor.dispose();
    }
    this.#compiled.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async #program(graph: Graph, op: Op): Promise<CompiledOp> {
    const key = JSON.stringify([op.kind, op.attrs, op.inputs.map((id) => formatSpec(valueOf(graph, id)))]);
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const compiled = await compileOp(this.#backend, graph, op);
    this.#compiled.set(key, compiled);
    return compiled;
  }
}

async function compileOp(backend: Backend, graph: Graph, op: Op): Promise<CompiledOp> {
  const single = singleOpGraph({ graph, op });
  const tensors = new Map<string, Tensor>();
  const find = (name: string): Tensor => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new RangeError(`the graph of one ${op.kind} has no value '${name}'`);
    return tensor;
  };
  try {
    for (const value of single.graph.values) {
      if (value.name !== undefined) tensors.set(value.name, backend.tensor(value));
    }
    const program = await backend.compile(single.graph, tensors, { fuse: false });
    return { program, tensors, inputs: single.inputs.map(find), results: single.results.map(find) };
  } catch (error) {
    for (const tensor of tensors.values()) tensor.dispose();
    throw error;
  }
}
