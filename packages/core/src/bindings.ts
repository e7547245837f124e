import { BindingError } from './errors.ts';
import type { Graph } from './graph.ts';
import { formatSpec, sameShape, type Tensor } from './tensor.ts';

/**
 * Checks that every named value of a graph has a tensor of its shape and type.
 * @throws {BindingError} that lists all names at fault, together
 */
export function checkBindings(graph: Graph, bindings: ReadonlyMap<string, Tensor>): void {
  const problems: string[] = [];
  const named = new Map(
    graph.values.flatMap((value) => (value.name === undefined ? [] : [[value.name, value] as const])),
  );
  for (const [name, value] of named) {
    const tensor = bindings.get(name);
    if (tensor === undefined) problems.push(`'${name}' (${formatSpec(value)}) has no tensor`);
    else if (tensor.dtype !== value.dtype || !sameShape(tensor.shape, value.shape)) {
      problems.push(`'${name}' is ${formatSpec(value)}, but its tensor is ${formatSpec(tensor)}`);
    }
  }
  for (const name of bindings.keys()) if (!named.has(name)) problems.push(`the graph has no value named '${name}'`);
  const owners = new Map<Tensor, string>();
  for (const [name, tensor] of bindings) {
    const other = owners.get(tensor);
    if (other !== undefined) problems.push(`'${other}' and '${name}' share one tensor`);
    owners.set(tensor, name);
  }
  if (problems.length > 0) {
    throw new BindingError(`cannot bind graph '${graph.name}': ${problems.join('; ')}.`, { problems });
  }
}
