import { GraphBuilder } from './builder.ts';
import { GraphError } from './errors.ts';
import { valueOf, type Graph, type Op, type ValueId } from './graph.ts';
import type { OpKind } from './ops/attrs.ts';
import { opDef } from './ops/index.ts';
import { formatShape } from './tensor.ts';

/** The extended graph and, for each value of `wrt` in order, the id of its gradient. */
export interface Gradients {
  readonly graph: Graph;
  readonly gradients: readonly ValueId[];
}

/**
 * Adds to a graph the ops that compute d loss / d value for every value of `wrt`: reverse-mode differentiation as a
 * transform of the graph. Runs before fusion; several uses of one value add up in the order of their ops.
 *
 * @throws {GraphError} when the loss is no scalar, does not depend on a value of `wrt`, or depends on one through an operand
 *   that has no gradient, such as labels
 * @source Griewank & Walther 2008, §3.2
 */
export function gradients(graph: Graph, loss: ValueId, wrt: readonly ValueId[]): Gradients {
  const lossValue = valueOf(graph, loss);
  if (lossValue.shape.length !== 0) {
    throw new GraphError(`gradients: the loss must be a scalar, but value ${loss} is ${formatShape(lossValue.shape)}`);
  }
  const build = new GraphBuilder(graph.name, graph);
  const needed = dependants(graph, wrt);
  const grads = new Map<ValueId, ValueId>([[loss, build.op('fill', [], { shape: [], value: 1 }, 'gradients')]]);
  for (const op of graph.ops.toReversed()) {
    if (!op.outputs.some((id) => grads.has(id)) || !op.inputs.some((id) => needed.has(id))) continue;
    build.scope(op.label, () => {
      const wanted = op.inputs.map((id) => needed.has(id));
      const outputGrads = op.outputs.map((id) => grads.get(id) ?? null);
      vjp(build, op, outputGrads, wanted).forEach((grad, i) => {
        const input = op.inputs[i];
        if (input === undefined || !needed.has(input)) return;
        if (grad === null) throw noGradient(graph, op, i);
        const sum = grads.get(input);
        grads.set(input, sum === undefined ? grad : build.op('add', [sum, grad], {}));
      });
    });
  }
  const ids = wrt.map((id) => {
    const grad = grads.get(id);
    if (grad === undefined) {
      throw new GraphError(`gradients: the loss does not depend on '${valueOf(graph, id).name ?? `value ${id}`}'`);
    }
    return grad;
  });
  return { graph: build.build(), gradients: ids };
}

function vjp<K extends OpKind>(
  build: GraphBuilder,
  op: Op<K>,
  outputGrads: readonly (ValueId | null)[],
  wanted: readonly boolean[],
): readonly (ValueId | null)[] {
  return opDef<K>(op.kind).vjp(build, op, outputGrads, wanted);
}

/** Leaving out one of several paths to the loss would make the sum wrong, so it is an error. */
function noGradient<K extends OpKind>(graph: Graph, op: Op<K>, input: number): GraphError {
  const operand = opDef<K>(op.kind).operands(op.attrs)[input] ?? `operand ${input}`;
  const id = op.inputs[input] ?? -1;
  const label = op.label === '' ? '' : ` '${op.label}'`;
  return new GraphError(
    `gradients: ${op.kind}${label} has no gradient with respect to its operand '${operand}', ` +
      `but '${valueOf(graph, id).name ?? `value ${id}`}' is or depends on a value of \`wrt\``,
    { kind: op.kind, label: op.label, operand },
  );
}

/** Values that depend on one of `roots`, and the roots themselves. */
function dependants(graph: Graph, roots: readonly ValueId[]): ReadonlySet<ValueId> {
  const found = new Set(roots);
  for (const op of graph.ops) {
    if (op.inputs.some((id) => found.has(id))) op.outputs.forEach((id) => found.add(id));
  }
  return found;
}
