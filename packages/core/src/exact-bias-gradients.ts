import { valueOf, type Graph, type Op, type ValueId } from './graph.ts';

/**
 * Gives a bias that only batch norms ever see its exact gradient, zero.
 *
 * A batch norm subtracts the mean, so a constant added to a channel before it changes nothing: the sum that
 * `biasAddGrad` would compute is nothing but rounding errors, which Adam would scale up to full steps. The gradient that
 * reaches such a bias sums to zero over all positions of each channel; that is true of the dx of a training batch norm,
 * of sums of such gradients, and of what a 1×1 convolution without padding passes back.
 *
 * See docs/decisions/0001-gradient-of-a-bias-before-batch-norm.md.
 */
export function exactBiasGradients(graph: Graph): Graph {
  const balanced = new Set<ValueId>();
  const ops = graph.ops.map((op): Op => {
    const [first] = op.inputs;
    const [output] = op.outputs;
    if (first === undefined || output === undefined) return op;
    if (op.kind === 'biasAddGrad' && balanced.has(first)) {
      const { shape } = valueOf(graph, output);
      return { kind: 'fill', label: op.label, inputs: [], outputs: op.outputs, attrs: { shape, value: 0 } };
    }
    if (sumsToZero(graph, op, balanced)) balanced.add(output);
    return op;
  });
  return { ...graph, ops };
}

/** Whether the op's first output sums to zero over all axes but the channels, for any data. */
function sumsToZero(graph: Graph, op: Op, balanced: ReadonlySet<ValueId>): boolean {
  const has = (index: number): boolean => balanced.has(op.inputs[index] ?? -1);
  if (op.kind === 'batchNormGrad') return !op.attrs.residual || has(5);
  if (op.kind === 'add') return has(0) && has(1);
  if (op.kind !== 'conv2dBackpropInput') return false;
  // Each dy meets exactly one dx: Σ dx[c] = Σ_k filter[c,k]·Σ dy[k].
  const { window, residual, activationGrad } = op.attrs;
  const [filterHeight, filterWidth] = valueOf(graph, op.inputs[0] as ValueId).shape;
  const isPointwise =
    filterHeight === 1 && filterWidth === 1 && Object.values(window.padding).every((side) => side === 0);
  return isPointwise && activationGrad === 'none' && has(1) && (!residual || has(2));
}
