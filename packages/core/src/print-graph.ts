import { inputValues, valueOf, type Graph, type Op, type ValueId } from './graph.ts';
import { opDef } from './ops/index.ts';
import type { OpKind } from './ops/attrs.ts';
import { formatSpec } from './tensor.ts';

/**
 * A graph as readable text: its named inputs, then one op a line.
 *
 * ```
 * graph 'tiny'
 *   x: f32[32,8,8,3]
 *   %2: f32[32,8,8,16] = conv2d x=x filter=filter {…}  # stem/conv
 * ```
 */
export function printGraph(graph: Graph): string {
  const reference = (id: ValueId): string => valueOf(graph, id).name ?? `%${id}`;
  const inputs = inputValues(graph).map((value) => `  ${value.name}: ${formatSpec(value)}`);
  const ops = graph.ops.map((op) => {
    const results = op.outputs.map((id) => `${reference(id)}: ${formatSpec(valueOf(graph, id))}`).join(', ');
    const operands = operandNames(op).map((name, i) => `${name}=${reference(op.inputs[i] ?? -1)}`);
    const attrs = Object.keys(op.attrs).length === 0 ? [] : [JSON.stringify(op.attrs)];
    const label = op.label === '' ? '' : `  # ${op.label}`;
    return `  ${results} = ${[op.kind, ...operands, ...attrs].join(' ')}${label}`;
  });
  return [`graph '${graph.name}'`, ...inputs, ...ops].join('\n');
}

function operandNames<K extends OpKind>(op: Op<K>): readonly string[] {
  return opDef<K>(op.kind).operands(op.attrs);
}
