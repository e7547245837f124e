import { GraphError } from './errors.ts';
import { valueOf, type Graph, type Op, type ValueId } from './graph.ts';
import { opDef } from './ops/index.ts';

/**
 * Checks a graph as a whole: ops read only what is there before them, every value is computed once, an update replaces a
 * named value that nothing computes and nothing else reads then or afterwards, by itself or through a view, and a view has
 * no name of its own.
 * @throws {GraphError} that lists every broken rule
 */
export function validateGraph(graph: Graph): void {
  checkIds(graph);
  const problems: string[] = [];
  const computedBy = new Map<number, number>();
  graph.ops.forEach((op, index) =>
    op.outputs.forEach((id) => {
      if (computedBy.has(id)) problems.push(`value ${id} is computed twice`);
      computedBy.set(id, index);
    }),
  );
  for (const value of graph.values) {
    if (graph.values[value.id] !== value) problems.push(`value ${value.id} is not at its place`);
    if (!computedBy.has(value.id) && value.name === undefined)
      problems.push(`value ${value.id} is neither computed nor named`);
  }
  problems.push(...aliasProblems(graph, computedBy));
  if (problems.length > 0) throw brokenRules(graph, problems);
}

const brokenRules = (graph: Graph, problems: readonly string[]): GraphError =>
  new GraphError(`graph '${graph.name}': ${problems.join('; ')}`, { problems });

const nameOf = ({ kind, label }: Op, index: number): string =>
  `${kind}${label === '' ? '' : ` '${label}'`} (op ${index})`;

/** Every other check looks values up, so ids come first. */
function checkIds(graph: Graph): void {
  const problems: string[] = [];
  graph.ops.forEach((op, index) => {
    for (const ids of [op.inputs, op.outputs]) {
      for (const id of ids) {
        if (graph.values[id] === undefined)
          problems.push(`${nameOf(op, index)} mentions value ${id}, which the graph does not have`);
      }
    }
  });
  if (problems.length > 0) throw brokenRules(graph, problems);
}

/** What is read in the wrong order, and names, reads and updates that views and updates forbid. */
function aliasProblems(graph: Graph, computedBy: ReadonlyMap<ValueId, number>): readonly string[] {
  const problems: string[] = [];
  const updatedAt = new Map<ValueId, string>();
  const shown = new Map<ValueId, ValueId>();
  const rootOf = (id: ValueId): ValueId => shown.get(id) ?? id;
  graph.ops.forEach((op, index) => {
    const where = (): string => nameOf(op, index);
    for (const id of op.inputs) {
      if ((computedBy.get(id) ?? -1) >= index) problems.push(`${where()} reads value ${id} before it is computed`);
      const updater = updatedAt.get(rootOf(id));
      if (updater === undefined) continue;
      const what = `${shown.has(id) ? 'a view of ' : ''}'${valueOf(graph, rootOf(id)).name}'`;
      problems.push(`${where()} reads ${what} after ${updater} has updated it`);
    }
    for (const alias of opDef(op.kind).aliases ?? []) {
      const input = op.inputs[alias.input];
      const output = op.outputs[alias.output];
      if (input === undefined || output === undefined) continue;
      const { name } = valueOf(graph, output);
      if (name !== undefined) {
        problems.push(
          `${where()}: '${name}' names ${alias.kind === 'view' ? 'a view' : 'an update'}; name the value behind it`,
        );
      }
      if (alias.kind === 'view') {
        shown.set(output, rootOf(input));
        continue;
      }
      if (computedBy.has(input))
        problems.push(`${where()} updates value ${input}, which is computed; only bound tensors can be updated`);
      if (op.inputs.some((id, i) => i !== alias.input && rootOf(id) === input)) {
        problems.push(
          `${where()} updates '${valueOf(graph, input).name}' and reads it as another operand too; read a copy`,
        );
      }
      updatedAt.set(input, where());
    }
  });
  return problems;
}
