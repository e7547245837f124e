import type { OpAttrs, OpKind } from './ops/attrs.ts';
import type { TensorSpec } from './tensor.ts';

export type ValueId = number;

/** What flows between ops. A named value is bound to a tensor of the caller; an unnamed one lives in the program's arena. */
export interface Value extends TensorSpec {
  readonly id: ValueId;
  readonly name?: string;
}

interface OpOf<K extends OpKind> {
  readonly kind: K;
  /** Where the op comes from, such as `stage2/block1/conv1`; for errors and reports only. */
  readonly label: string;
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  readonly attrs: OpAttrs[K];
}

/** One operation, discriminated by `kind`. */
export type Op<K extends OpKind = OpKind> = { [P in K]: OpOf<P> }[K];

/** A network as data: values by id (`values[id].id === id`) and ops in execution order. */
export interface Graph {
  readonly name: string;
  readonly values: readonly Value[];
  readonly ops: readonly Op[];
}

/** The value of an id. @throws {RangeError} when the graph has no such value, which a validated graph never does. */
export function valueOf(graph: Graph, id: ValueId): Value {
  const value = graph.values[id];
  if (value === undefined) throw new RangeError(`graph '${graph.name}' has no value ${id}`);
  return value;
}

/** Ids of the values that no op computes: the graph's inputs, parameters and state. */
export function inputValues(graph: Graph): readonly Value[] {
  const computed = new Set(graph.ops.flatMap((op) => op.outputs));
  return graph.values.filter((value) => !computed.has(value.id));
}

/** For every value, the indices of the ops that read it, in order; an op that reads a value twice is listed twice. */
export function readersOf(graph: Graph): readonly (readonly number[])[] {
  const readers: number[][] = graph.values.map(() => []);
  graph.ops.forEach((op, index) => op.inputs.forEach((id) => readers[id]?.push(index)));
  return readers;
}
