import {
  GraphBuilder,
  inputValues,
  opDef,
  valueOf,
  type Graph,
  type Op,
  type OpAttrs,
  type OpKind,
  type ValueId,
} from '@skiplane/core';
import { createReferenceBackend, type ReferenceTensor } from '@skiplane/core/reference';

/** Every value of a graph, unrounded: what was given for inputs, what the float64 reference computed for the rest. */
export type OracleValues = ReadonlyMap<ValueId, Float64Array>;

const reference = createReferenceBackend();

/** Runs a graph on the reference, keeping the values in between. The graph runs as it is, without fusion. */
export async function runOracle(graph: Graph, inputs: ReadonlyMap<string, Float32Array>): Promise<OracleValues> {
  const named = nameAll(graph);
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

/** The graph with a name for every value that has storage of its own. */
function nameAll(graph: Graph): Graph {
  const build = new GraphBuilder(graph.name, graph);
  for (const { id, name } of graph.values) {
    if (name === undefined && storageOf(graph, id) === id) build.output(`%${id}`, id);
  }
  return build.build();
}

/** The value whose storage an id uses: its own, or that of the input it is a view or an update of. */
function storageOf(graph: Graph, id: ValueId): ValueId {
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
  const { graph, op, attrs = op.attrs, operands } = single;
  const backend = mode === 'values' ? reference : magnitudes;
  const build = new GraphBuilder(op.kind);
  const inputs = op.inputs.map((id, i) => build.input(`input ${i}`, { shape: valueOf(graph, id).shape, dtype: 'f32' }));
  const outputs = build.opOutputs<K>(op.kind, inputs, attrs);
  const aliases = opDef(op.kind).aliases ?? [];
  const names = outputs.map((id, i) => {
    const alias = aliases.find(({ output }) => output === i);
    if (alias !== undefined) return `input ${alias.input}`;
    build.output(`output ${i}`, id);
    return `output ${i}`;
  });
  const built = build.build();
  const tensors = new Map(
    built.values.flatMap((value) => (value.name === undefined ? [] : [[value.name, backend.tensor(value)] as const])),
  );
  // Written past the rounding of `write`: bounds are often too small for f32.
  operands.forEach((data, i) => tensors.get(`input ${i}`)?.values.set(data));
  const program = await backend.compile(built, tensors, { fuse: false });
  await program.run();
  program.dispose();
  return names.map((name) => tensors.get(name)?.values ?? new Float64Array());
}
