import type { Backend, CompileOptions } from './backend.ts';
import { BindingError } from './errors.ts';
import { inputValues, type Graph } from './graph.ts';
import type { Tensor, TypedArray } from './tensor.ts';

/**
 * Runs a graph once: makes its tensors, compiles, runs, reads every named value back and frees all.
 * For tests and experiments; a loop should compile once and run many times.
 *
 * @param inputs  data of the graph's named inputs, zeros where there is none; state that an op updates is read back like an output
 * @throws {BindingError} when the graph has no input of a name
 */
export async function evaluate(
  backend: Backend,
  graph: Graph,
  inputs: Readonly<Record<string, TypedArray>>,
  options?: CompileOptions,
): Promise<Record<string, TypedArray>> {
  const given = new Set(inputValues(graph).map((value) => value.name));
  const unknown = Object.keys(inputs).filter((name) => !given.has(name));
  if (unknown.length > 0) {
    const names = unknown.map((name) => `'${name}'`).join(', ');
    throw new BindingError(`evaluate: graph '${graph.name}' has no input named ${names}.`, { unknown });
  }
  const bindings = new Map<string, Tensor>();
  try {
    for (const value of graph.values) {
      if (value.name === undefined) continue;
      bindings.set(value.name, backend.tensor(value, given.has(value.name) ? inputs[value.name] : undefined));
    }
    const program = await backend.compile(graph, bindings, options);
    try {
      await program.run();
      const results: Record<string, TypedArray> = {};
      for (const [name, tensor] of bindings) results[name] = await tensor.read();
      return results;
    } finally {
      program.dispose();
    }
  } finally {
    for (const tensor of bindings.values()) tensor.dispose();
  }
}
