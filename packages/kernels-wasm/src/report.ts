import {
  opDef,
  valueOf,
  type Graph,
  type Op,
  type OpCost,
  type OpKind,
  type OpReport,
  type ProgramReport,
  type TensorSpec,
  type ValueId,
} from '@skiplane/core';
import type { Assembled } from './assemble.ts';
import type { Engine } from './program.ts';

/** @param graph  the whole one: its values are as long as a batch */
export function report(engine: Engine, graph: Graph, { parts, scratchBytes }: Assembled): ProgramReport {
  const specs = (ids: readonly ValueId[]) => ids.map((id) => valueOf(graph, id));
  const lowered = parts.flatMap((part) => part.lowered);
  const ops = graph.ops.map((op, index): OpReport => ({
    kind: op.kind,
    label: op.label,
    kernels: (lowered[index]?.kernels ?? []).map((kernel) => `${kernel}.${engine.binary}`),
    cost: costOf(op, specs(op.inputs), specs(op.outputs)),
  }));
  const arenaBytes = parts.reduce((sum, { arenas, plan }) => sum + arenas.length * plan.arenaBytes, 0);
  return { backend: engine.name, ops, arenaBytes, workspaceBytes: scratchBytes };
}

function costOf<K extends OpKind>(op: Op<K>, inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): OpCost {
  return opDef<K>(op.kind).cost(inputs, outputs, op.attrs);
}
