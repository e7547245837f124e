import {
  allocate,
  elementCount,
  inputValues,
  type Backend,
  type CompileOptions,
  type Graph,
  type ProgramReport,
  type Tensor,
  type TypedArray,
} from '@skiplane/core';

/** Elements by the name of their value. */
export type Data = ReadonlyMap<string, TypedArray>;

/** What a run left in the tensors of all named values, and what was compiled for it. */
export interface Run {
  readonly values: Data;
  readonly report: ProgramReport;
}

/** Compiles a graph, runs it once and frees all. Outputs hold NaN before, so that an element that nobody writes shows. */
export async function runGraph(backend: Backend, graph: Graph, inputs: Data, options?: CompileOptions): Promise<Run> {
  const given = new Set(inputValues(graph).map(({ id }) => id));
  const tensors = new Map<string, Tensor>();
  try {
    for (const value of graph.values) {
      const { id, name, shape, dtype } = value;
      if (name === undefined) continue;
      const data = given.has(id) ? inputs.get(name) : allocate(dtype, elementCount(shape)).fill(Number.NaN);
      tensors.set(name, backend.tensor(value, data));
    }
    using program = await backend.compile(graph, tensors, options);
    await program.run();
    const values = new Map<string, TypedArray>();
    for (const [name, tensor] of tensors) values.set(name, await tensor.read());
    return { values, report: program.report };
  } finally {
    for (const tensor of tensors.values()) tensor.dispose();
  }
}
