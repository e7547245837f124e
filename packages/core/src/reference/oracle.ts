import { GraphBuilder } from '../builder.ts';
import { inputValues, valueOf, type Graph, type Op, type ValueId } from '../graph.ts';
import type { OpAttrs, OpKind } from '../ops/attrs.ts';
import { opDef } from '../ops/index.ts';
import type { TypedArray } from '../tensor.ts';
import { createReferenceBackend } from './backend.ts';
import type { ReferenceTensor } from './tensor.ts';

/** Every value of a graph, unrounded: what was given for inputs, what the float64 reference computed for the rest. */
export type OracleValues = ReadonlyMap<ValueId, Float64Array>;

const reference = createReferenceBackend();

/** Runs a graph on the reference, keeping the values in between. The graph runs as it is, without fusion. */
export async function runOracle(graph: Graph, inputs: ReadonlyMap<string, TypedArray>): Promise<OracleValues> {
  const named = nameValues(graph);
  const tensors = new Map<string, ReferenceTensor>();
  for (const value of named.values) {
    if (value.name !== undefined) tensors.set(value.name, reference.tensor(value, inputs.get(value.name)));
  }
  const values = new Map<ValueId, Float64Array>();
  for (const { id, name } of inputValues(named))
    values.set(id, tensors.get(name ?? '')?.values.slice() ?? new Float64Array());
  const program = await reference.compile(named, tensors, { fuse: false });
  await program.run();
  program.dispose();
  for (const op of named.ops) {
    for (const id of op.outputs) {
      const tensor = tensors.get(valueOf(named, storageOf(named, id)).name ?? '');
      if (tensor !== undefined) values.set(id, tensor.values);
    }
  }
  return values;
}

/** The graph with a name, `%<id>`, for every value that has storage of its own and no name: a run then keeps them all. */
export function nameValues(graph: Graph): Graph {
  const build = new GraphBuilder(graph.name, graph);
  for (const { id, name } of graph.values) {
    if (name === undefined && storageOf(graph, id) === id) build.output(`%${id}`, id);
  }
  return build.build();
}

/** The value whose storage an id uses: itself, or the input that it is a view or an update of. */
export function storageOf(graph: Graph, id: ValueId): ValueId {
  for (const op of graph.ops) {
    const output = op.outputs.indexOf(id);
    const alias = opDef(op.kind).aliases?.find((candidate) => candidate.output === output);
    const input = alias === undefined ? undefined : op.inputs[alias.input];
    if (output >= 0 && input !== undefined) return storageOf(graph, input);
  }
  return id;
}

/** Names of the tensors in which a run leaves results, and the values they then hold: outputs and updated state. */
export function resultsOf(graph: Graph): ReadonlyMap<string, ValueId> {
  const results = new Map<string, ValueId>();
  for (const op of graph.ops) {
    op.outputs.forEach((id, position) => {
      const updated = opDef(op.kind).aliases?.find((alias) => alias.output === position && alias.kind === 'update');
      const name = valueOf(graph, updated === undefined ? id : (op.inputs[updated.input] ?? id)).name;
      if (name !== undefined) results.set(name, id);
    });
  }
  return results;
}

const magnitudes = createReferenceBackend({ magnitudes: true });

/** One op of a graph, by itself, with these attributes and operands. */
export interface SingleOp<K extends OpKind = OpKind> {
  readonly graph: Graph;
  readonly op: Op<K>;
  readonly attrs?: OpAttrs[K];
  /** Data of every input, unrounded. */
  readonly operands: readonly Float64Array[];
}

/**
 * Runs one op on the reference, or in its magnitude mode, where Σ a·b is Σ|a·b|.
 *
 * @returns the elements of every output
 */
export async function runOp<K extends OpKind>(
  mode: 'values' | 'magnitudes',
  single: SingleOp<K>,
): Promise<readonly Float64Array[]> {
  const { operands } = single;
  const backend = mode === 'values' ? reference : magnitudes;
  const { graph, inputs, results } = singleOpGraph(single);
  const tensors = new Map(
    graph.values.flatMap((value) => (value.name === undefined ? [] : [[value.name, backend.tensor(value)] as const])),
  );
  // Written past the rounding of `write`: bounds are often too small for f32.
  inputs.forEach((name, i) => tensors.get(name)?.values.set(operands[i] ?? []));
  const program = await backend.compile(graph, tensors, { fuse: false });
  await program.run();
  program.dispose();
  return results.map((name) => tensors.get(name)?.values ?? new Float64Array());
}

/** A graph of one op, and the names of the tensors that hold its operands, and its results after a run. */
export interface SingleOpGraph {
  readonly graph: Graph;
  readonly inputs: readonly string[];
  /** An updated operand is a result too; a view is where its operand is. */
  readonly results: readonly string[];
}

/** An op of a graph, by itself. */
export function singleOpGraph<K extends OpKind>(single: Omit<SingleOp<K>, 'operands'>): SingleOpGraph {
  const { graph, op, attrs = op.attrs } = single;
  const build = new GraphBuilder(op.kind);
  const inputs = op.inputs.map((_, i) => `input ${i}`);
  const ids = op.inputs.map((id, i) => {
    const { shape, dtype } = valueOf(graph, id);
    return build.input(inputs[i] ?? '', { shape, dtype });
  });
  const aliases = opDef(op.kind).aliases ?? [];
  const results = build.opOutputs<K>(op.kind, ids, attrs, op.label).map((id, i) => {
    const alias = aliases.find(({ output }) => output === i);
    if (alias !== undefined) return `input ${alias.input}`;
    build.output(`output ${i}`, id);
    return `output ${i}`;
  });
  return { graph: build.build(), inputs, results };
}
