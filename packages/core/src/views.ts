import type { Graph, ValueId } from './graph.ts';
import { opDef } from './ops/index.ts';

/** Of every value what it shows in the end, where it is a view, or else itself. */
export function viewSources(graph: Graph): (id: ValueId) => ValueId {
  const shown = new Map<ValueId, ValueId>();
  const source = (id: ValueId): ValueId => shown.get(id) ?? id;
  for (const op of graph.ops) {
    for (const { kind, output, input } of opDef(op.kind).aliases ?? []) {
      if (kind === 'view') shown.set(op.outputs[output] as ValueId, source(op.inputs[input] as ValueId));
    }
  }
  return source;
}
