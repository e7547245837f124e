import { valueOf, type Graph, type Op, type ValueId } from './graph.ts';
import { opDef } from './ops/index.ts';
import { validateGraph } from './validate.ts';

/**
 * The graph of `ops`, without ops that nothing depends on and without values that nothing mentions; ids are given anew.
 * Named values stay, even when nothing reads them, unless `dropped` has their id.
 */
export function prune(graph: Graph, ops: readonly Op[] = graph.ops, dropped: ReadonlySet<ValueId> = new Set()): Graph {
  const live = new Set<ValueId>();
  const kept = ops
    .toReversed()
    .filter((op) => {
      const updates = opDef(op.kind).aliases?.some((alias) => alias.kind === 'update') ?? false;
      const needed = updates || op.outputs.some((id) => live.has(id) || valueOf(graph, id).name !== undefined);
      if (needed) op.inputs.forEach((id) => live.add(id));
      return needed;
    })
    .toReversed();

  const mentioned = new Set(kept.flatMap((op) => [...op.inputs, ...op.outputs]));
  const values = graph.values.filter(({ id, name }) => mentioned.has(id) || (name !== undefined && !dropped.has(id)));
  const newIds = new Map(values.map(({ id }, index) => [id, index]));
  const renumber = (ids: readonly ValueId[]): readonly ValueId[] => ids.map((id) => newIds.get(id) as ValueId);
  const pruned: Graph = {
    name: graph.name,
    values: values.map((value, id) => ({ ...value, id })),
    ops: kept.map((op) => ({ ...op, inputs: renumber(op.inputs), outputs: renumber(op.outputs) })),
  };
  validateGraph(pruned);
  return pruned;
}
