import {
  GraphBuilder,
  opDef,
  type CompileOptions,
  type Graph,
  type OpAttrs,
  type OpDef,
  type OpKind,
  type Tensor,
  type ValueId,
} from '../../src/index.ts';
import { createReferenceBackend, type ReferenceBackend } from '../../src/reference/index.ts';
import type { TensorData } from './tensor-data.ts';

export type OperandData = Readonly<Record<string, TensorData>>;

export interface SingleOp {
  readonly build: GraphBuilder;
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
}

/** A builder with one op in it, its operands being inputs of their own names. */
export function singleOp<K extends OpKind>(kind: K, attrs: OpAttrs[K], operands: OperandData): SingleOp {
  const build = new GraphBuilder(kind);
  const def: OpDef<K> = opDef(kind);
  const inputs = def.operands(attrs).map((name) => {
    const data = operands[name];
    if (data === undefined) throw new RangeError(`${kind} needs operand '${name}'`);
    return build.input(name, { shape: data.shape, dtype: data.dtype ?? 'f32' });
  });
  return { build, inputs, outputs: build.opOutputs(kind, inputs, attrs, 'case') };
}

/** The graph of one op, and for each result the name under which it can be read. */
function singleOpGraph<K extends OpKind>(kind: K, attrs: OpAttrs[K], operands: OperandData) {
  const { build, outputs } = singleOp(kind, attrs, operands);
  const def: OpDef<K> = opDef(kind);
  const names = def.operands(attrs);
  const resultNames = new Map<string, string>();
  outputs.forEach((id, i) => {
    const result = def.results[i] ?? '';
    const alias = def.aliases?.find(({ output }) => output === i);
    const name = alias?.kind === 'update' ? (names[alias.input] ?? '') : `result/${result}`;
    // A view has no name of its own, so it is read through a copy.
    if (alias?.kind === 'view') build.output(name, build.op('affine', [id], { scale: 1, offset: 0 }));
    else if (alias === undefined) build.output(name, id);
    resultNames.set(result, name);
  });
  return { graph: build.build(), resultNames };
}

/** Runs a graph on unrounded data and returns every named value, unrounded. */
export async function runUnrounded(
  graph: Graph,
  data: Readonly<Record<string, ArrayLike<number>>>,
  options: CompileOptions = {},
  backend: ReferenceBackend = createReferenceBackend(),
): Promise<Record<string, Float64Array>> {
  const results: Record<string, Float64Array> = {};
  const bindings = new Map<string, Tensor>();
  for (const value of graph.values) {
    if (value.name === undefined) continue;
    const tensor = backend.tensor(value);
    const given = data[value.name];
    // What a kernel forgets to write shows as NaN.
    if (given === undefined) tensor.values.fill(Number.NaN);
    else tensor.values.set(given);
    bindings.set(value.name, tensor);
    results[value.name] = tensor.values;
  }
  const program = await backend.compile(graph, bindings, options);
  await program.run();
  return results;
}

/** The results of one op on unrounded operands, by the names of its definition. */
export async function runSingleOp<K extends OpKind>(
  kind: K,
  attrs: OpAttrs[K],
  operands: OperandData,
  backend?: ReferenceBackend,
): Promise<Record<string, number[]>> {
  const { graph, resultNames } = singleOpGraph(kind, attrs, operands);
  const data = Object.fromEntries(Object.entries(operands).map(([name, operand]) => [name, operand.data]));
  const values = await runUnrounded(graph, data, { guard: true }, backend);
  return Object.fromEntries([...resultNames].map(([result, name]) => [result, [...(values[name] ?? [])]]));
}
