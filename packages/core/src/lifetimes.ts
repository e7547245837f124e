import { valueOf, type Graph, type Value, type ValueId } from './graph.ts';
import { opDef } from './ops/index.ts';
import { byteLength } from './tensor.ts';

/** Bytes that a value needs, and the ops during which it needs them, both ends included. */
export interface Lifetime {
  readonly bytes: number;
  readonly firstOp: number;
  readonly lastOp: number;
}

export interface Lifetimes {
  /** The value whose storage a value shares: itself, the input of a view or an update, or what an op overwrites. */
  readonly rootOf: (id: ValueId) => ValueId;
  /** Of every value that needs storage of its own and no tensor gives any. */
  readonly own: ReadonlyMap<ValueId, Lifetime>;
}

/**
 * Which values need storage of their own, and for how long. Views and updates share the storage of their input, and with
 * `inPlace` an op that may work in place takes over the storage of an input that dies with it.
 */
export function lifetimes(graph: Graph, inPlace: boolean, bytesOf: (value: Value) => number = byteLength): Lifetimes {
  const roots = Int32Array.from(graph.values, ({ id }) => id);
  const rootOf = (id: ValueId): ValueId => roots[id] as ValueId;
  const lastUse = lastUses(graph);
  const own = new Map<ValueId, { readonly bytes: number; readonly firstOp: number; lastOp: number }>();

  graph.ops.forEach((op, index) => {
    for (const alias of opDef(op.kind).aliases ?? []) {
      roots[op.outputs[alias.output] as ValueId] = rootOf(op.inputs[alias.input] as ValueId);
    }
    const reuse = inPlace ? opDef(op.kind).inPlace : undefined;
    op.outputs.forEach((id, position) => {
      const value = valueOf(graph, id);
      const lastOp = Math.max(lastUse[id] as number, index);
      if (rootOf(id) !== id) {
        const shared = own.get(rootOf(id));
        if (shared !== undefined) shared.lastOp = Math.max(shared.lastOp, lastOp);
        return;
      }
      if (value.name !== undefined) return;
      if (reuse?.output === position) {
        const input = op.inputs[reuse.input] as ValueId;
        const shared = own.get(rootOf(input));
        // The input's block ends here and no other operand reads it: a view of it may live on, so ask the block, not the value.
        if (shared?.lastOp === index && op.inputs.filter((other) => rootOf(other) === rootOf(input)).length === 1) {
          roots[id] = rootOf(input);
          shared.lastOp = lastOp;
          return;
        }
      }
      own.set(id, { bytes: bytesOf(value), firstOp: index, lastOp });
    });
  });
  return { rootOf, own };
}

/** By value: the last op that reads it, or −1. */
function lastUses(graph: Graph): Int32Array {
  const lastUse = new Int32Array(graph.values.length).fill(-1);
  graph.ops.forEach((op, index) => op.inputs.forEach((id) => (lastUse[id] = index)));
  return lastUse;
}
