import { valueOf, type Graph, type Op, type Value, type ValueId } from './graph.ts';
import { opDef } from './ops/index.ts';
import type { OpCost } from './ops/op-def.ts';
import type { OpKind } from './ops/attrs.ts';
import { viewSources } from './views.ts';

/** A place between two ops of a forward pass where one value alone goes on: the ops before `op` and those from it on. */
export interface Cut {
  readonly op: number;
  readonly value: ValueId;
}

/**
 * The cuts in the ops before `turn`. What no op before `turn` reads any more does not count, since it waits for the backward
 * pass: in a residual network the cuts lie between units.
 */
export function cutsBefore(graph: Graph, turn: number): readonly Cut[] {
  const source = viewSources(graph);
  const lastForward = new Map<ValueId, number>();
  graph.ops.slice(0, turn).forEach((op, index) => op.inputs.forEach((id) => lastForward.set(source(id), index)));
  const going = new Set<ValueId>();
  const cuts: Cut[] = [];
  graph.ops.slice(0, turn).forEach((op, index) => {
    const [value] = going;
    if (index > 0 && going.size === 1 && value !== undefined) cuts.push({ op: index, value });
    for (const id of [...op.outputs, ...op.inputs].map(source)) {
      const named = valueOf(graph, id).name !== undefined;
      if (!named && (lastForward.get(id) ?? -1) > index) going.add(id);
      else going.delete(id);
    }
  });
  return cuts;
}

export interface Recomputed {
  /** Not checked. */
  readonly graph: Graph;
  /** What was added. */
  readonly ops: number;
  readonly flops: number;
}

/**
 * Drops what the ops before the last of `cuts` leave for the ops from `turn` on, but for the values at the cuts and vectors of
 * statistics, and repeats ops of a segment between two cuts in front of the first op that reads what was dropped of it. Given a
 * graph and its turn, it does so for any cuts (in order, all before `turn`).
 */
export function recomputation(graph: Graph, turn: number): (cuts: readonly Cut[]) => Recomputed {
  const source = viewSources(graph);
  const producer = producers(graph);
  const readAt = firstReads(graph, turn);
  const droppable = graph.values.map(({ id }) => isDroppable(graph, id, graph.ops[producer[id] as number]));
  return (cuts) => {
    const kept = new Set(cuts.map(({ value }) => value));
    const values: Value[] = [...graph.values];
    const clones = new Map<number, Op[]>();
    const cloneOf = new Map<ValueId, ValueId>();
    let [count, flops] = [0, 0];
    cuts.forEach(({ op: end }, i) => {
      const start = cuts[i - 1]?.op ?? 0;
      const dropped = (id: ValueId): boolean => {
        const at = producer[id] as number;
        return at >= start && at < end && !kept.has(source(id)) && droppable[id] === true;
      };
      const wanted = new Set<ValueId>();
      let first = graph.ops.length;
      for (let at = start; at < end; at++) {
        for (const id of graph.ops[at]?.outputs ?? []) {
          const read = readAt.get(id);
          if (read === undefined || !dropped(id)) continue;
          wanted.add(id);
          first = Math.min(first, read);
        }
      }
      const repeated: Op[] = [];
      for (let at = end - 1; at >= start; at--) {
        const op = graph.ops[at] as Op;
        if (!op.outputs.some((id) => wanted.has(id))) continue;
        op.inputs.filter(dropped).forEach((id) => wanted.add(id));
        repeated.push(op);
      }
      const made = repeated.toReversed().map((op) => repeat(op, values, cloneOf));
      count += made.length;
      for (const op of made) flops += costOf(values, op).flops;
      if (made.length > 0) clones.set(first, [...(clones.get(first) ?? []), ...made]);
    });
    const ops: Op[] = [];
    graph.ops.forEach((op, index) => {
      ops.push(...(clones.get(index) ?? []));
      const changed = index >= turn && op.inputs.some((id) => cloneOf.has(id));
      ops.push(changed ? { ...op, inputs: op.inputs.map((id) => cloneOf.get(id) ?? id) } : op);
    });
    return { graph: { name: graph.name, values, ops }, ops: count, flops };
  };
}

/** An op once more, on the clones of what was dropped. */
function repeat(op: Op, values: Value[], cloneOf: Map<ValueId, ValueId>): Op {
  const clone = (id: ValueId): ValueId => {
    const { name: _, ...value } = values[id] as Value;
    values.push({ ...value, id: values.length });
    cloneOf.set(id, values.length - 1);
    return values.length - 1;
  };
  const inputs = op.inputs.map((id) => cloneOf.get(id) ?? id);
  if (op.kind !== 'batchNormTraining') return { ...op, inputs, outputs: op.outputs.map(clone) };
  const { epsilon, residual, activation } = op.attrs;
  return {
    kind: 'batchNormRecompute',
    label: op.label,
    // Without the moving statistics, which only the op itself updates.
    inputs: [...inputs.slice(0, 3), ...inputs.slice(5)],
    outputs: op.outputs.slice(0, 1).map(clone),
    attrs: { epsilon, residual, activation },
  };
}

/** Whether a value can be had again: computed, no name, not updated, and no vector of statistics, which is small. */
function isDroppable(graph: Graph, id: ValueId, producer: Op | undefined): boolean {
  if (producer === undefined || valueOf(graph, id).name !== undefined) return false;
  if (producer.kind === 'batchNormTraining') return producer.outputs[0] === id;
  return !(opDef<OpKind>(producer.kind).aliases ?? []).some(({ kind }) => kind === 'update');
}

/** Of every value that an op from `turn` on reads, the first that does. */
function firstReads(graph: Graph, turn: number): ReadonlyMap<ValueId, number> {
  const reads = new Map<ValueId, number>();
  for (let at = graph.ops.length - 1; at >= turn; at--) graph.ops[at]?.inputs.forEach((id) => reads.set(id, at));
  return reads;
}

/** By value: the op that computes it, or −1. */
function producers(graph: Graph): Int32Array {
  const producer = new Int32Array(graph.values.length).fill(-1);
  graph.ops.forEach((op, index) => op.outputs.forEach((id) => (producer[id] = index)));
  return producer;
}

function costOf<K extends OpKind>(values: readonly Value[], op: Op<K>): OpCost {
  const specs = (ids: readonly ValueId[]) => ids.map((id) => values[id] as Value);
  return opDef<K>(op.kind).cost(specs(op.inputs), specs(op.outputs), op.attrs);
}

/** Arithmetic of a whole graph. */
export function flopsOf({ values, ops }: Graph): number {
  return ops.reduce((sum, op) => sum + costOf(values, op).flops, 0);
}
