import { GraphError } from './errors.ts';
import { valueOf, type Graph } from './graph.ts';
import { opDef } from './ops/index.ts';

/**
 * Checks a graph as a whole: ops read only what is there before them, every value is computed once, an update replaces a
 * named value that nothing computes and nothing reads afterwards, and a view has no name of its own.
 * @throws {GraphError} that lists every broken rule
 */
export function validateGraph(graph: Graph): void {
  const problems: string[] = [];
  const computedBy = new Map<number, number>();
  graph.ops.forEach((op, index) => op.outputs.forEach((id) => {
    if (computedBy.has(id)) problems.push(`value ${id} is computed twice`);
    computedBy.set(id, index);
  }));
  for (const value of graph.values) {
    if (graph.values[value.id] !== value) problems.push(`value ${value.id} is not at its place`);
    if (!computedBy.has(value.id) && value.name === undefined) problems.push(`value ${value.id} is neither computed nor named`);
  }
  const updatedAt = new Map<number, string>();
  graph.ops.forEach((op, index) => {
    const where = `${op.kind}${op.label === '' ? '' : ` '${op.label}'`} (op ${index})`;
    for (const id of op.inputs) {
      if ((computedBy.get(id) ?? -1) >= index) problems.push(`${where} reads value ${id} before it is computed`);
      const updater = updatedAt.get(id);
      if (updater !== undefined) problems.push(`${where} reads '${valueOf(graph, id).name}' after ${updater} has updated it`);
    }
    for (const alias of opDef(op.kind).aliases ?? []) {
      const input = op.inputs[alias.input];
      const output = op.outputs[alias.output];
      if (input === undefined || output === undefined) continue;
      if (valueOf(graph, output).name !== undefined) {
        problems.push(`${where}: '${valueOf(graph, output).name}' names a ${alias.kind}; name the value behind it`);
      }
      if (alias.kind === 'update') {
        if (computedBy.has(input)) problems.push(`${where} updates value ${input}, which is computed; only bound tensors can be updated`);
        updatedAt.set(input, where);
      }
    }
  });
  if (problems.length > 0) throw new GraphError(`graph '${graph.name}': ${problems.join('; ')}`, { problems });
}
