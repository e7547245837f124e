import { ValueError } from './errors.ts';
import { inputValues, readersOf, valueOf, type Graph, type Op, type ValueId } from './graph.ts';
import { prune } from './prune.ts';

/** An inference graph without the batch norms behind its convolutions, and the rule for its parameters. */
export interface FoldedGraph {
  readonly graph: Graph;
  /**
   * Parameters of the folded graph from those of the original one: filter·s and (bias − mean)·s + beta with
   * s = gamma/√(variance + epsilon), in float64, rounded once. Names stay; those of gamma, beta, mean and variance are gone.
   * A convolution without a bias gets one under the name of beta: beta − mean·s.
   */
  fold(parameters: ReadonlyMap<string, Float32Array>): Map<string, Float32Array>;
}

interface Fold {
  readonly epsilon: number;
  readonly filter: string;
  /** Undefined where the convolution has none, and beta becomes it. */
  readonly bias: string | undefined;
  readonly gamma: string;
  readonly beta: string;
  readonly mean: string;
  readonly variance: string;
}

/**
 * Folds every `conv2d → biasAdd → batchNormInference` of an unfused graph, with or without its biasAdd, into `conv2d → biasAdd`. A batch norm with
 * no convolution before it, such as a pre-activation one, stays.
 *
 * @source Jacob et al. 2018, §3.2
 */
export function foldBatchNorm(graph: Graph): FoldedGraph {
  const readers = readersOf(graph);
  const producer = new Map(graph.ops.flatMap((op) => op.outputs.map((id) => [id, op] as const)));
  const single = (id: ValueId): boolean => readers[id]?.length === 1;
  // Folding changes the value in between, which the caller reads if it has a name.
  const internal = (id: ValueId): boolean => single(id) && valueOf(graph, id).name === undefined;
  const parameters = new Map(inputValues(graph).map((value) => [value.id, value.name as string]));
  const folds: Fold[] = [];
  const gone = new Set<ValueId>();
  const ops: Op[] = [];
  for (const op of graph.ops) {
    const match =
      op.kind === 'batchNormInference' ? matchFold(op, producer, parameters, { single, internal }) : undefined;
    if (match === undefined || op.kind !== 'batchNormInference') {
      ops.push(op);
      continue;
    }
    folds.push({ epsilon: op.attrs.epsilon, ...match.names });
    const [x, gamma, beta, mean, variance] = op.inputs as [ValueId, ValueId, ValueId, ValueId, ValueId];
    for (const id of [gamma, mean, variance]) gone.add(id);
    if (match.biasAdd === undefined) {
      ops.push({ kind: 'biasAdd', label: op.label, inputs: [x, beta], outputs: op.outputs, attrs: {} });
      continue;
    }
    gone.add(beta);
    // The biasAdd takes the batch norm's place and name: its own output was read by the batch norm alone.
    ops.splice(ops.indexOf(match.biasAdd), 1);
    ops.push({ ...match.biasAdd, outputs: op.outputs });
  }
  return { graph: prune(graph, ops, gone), fold: (values) => foldParameters(folds, gone, graph, values) };
}

function matchFold(
  op: Op<'batchNormInference'>,
  producer: ReadonlyMap<ValueId, Op>,
  parameters: ReadonlyMap<ValueId, string>,
  { single, internal }: Readonly<Record<'single' | 'internal', (id: ValueId) => boolean>>,
): { biasAdd: Op<'biasAdd'> | undefined; names: Omit<Fold, 'epsilon'> } | undefined {
  const [x, gammaId, betaId, meanId, varianceId] = op.inputs as [ValueId, ValueId, ValueId, ValueId, ValueId];
  const direct = producer.get(x);
  if (op.attrs.residual || op.attrs.activation !== 'none' || !internal(x)) return undefined;
  const biasAdd = direct?.kind === 'biasAdd' ? direct : undefined;
  const y = biasAdd?.inputs[0] ?? x;
  const conv = producer.get(y);
  if (conv?.kind !== 'conv2d' || !internal(y)) return undefined;
  if (conv.attrs.bias || conv.attrs.residual || conv.attrs.activation !== 'none') {
    return undefined;
  }
  const ids = {
    filter: conv.inputs[1] as ValueId,
    ...(biasAdd !== undefined && { bias: biasAdd.inputs[1] as ValueId }),
    gamma: gammaId,
    beta: betaId,
    mean: meanId,
    variance: varianceId,
  };
  const names = Object.entries(ids).map(([role, id]) => [role, parameters.get(id)] as const);
  // A parameter that two ops share, or that is computed, cannot be folded for one of them.
  if (names.some(([, name]) => name === undefined) || !Object.values(ids).every(single)) return undefined;
  return { biasAdd, names: Object.fromEntries(names) as unknown as Omit<Fold, 'epsilon'> };
}

function foldParameters(
  folds: readonly Fold[],
  dropped: ReadonlySet<ValueId>,
  graph: Graph,
  parameters: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  const get = (name: string): Float32Array => {
    const data = parameters.get(name);
    if (data === undefined) throw new ValueError(`foldBatchNorm: there is no parameter '${name}'.`, { name });
    return data;
  };
  const folded = new Map(parameters);
  for (const id of dropped) folded.delete(valueOf(graph, id).name as string);
  for (const { epsilon, filter, bias, gamma, beta, mean, variance } of folds) {
    const scale = Float64Array.from(
      get(gamma),
      (value, k) => value / Math.sqrt((get(variance)[k] as number) + epsilon),
    );
    const channels = scale.length;
    folded.set(
      filter,
      get(filter).map((value, i) => value * (scale[i % channels] as number)),
    );
    const shift = (k: number): number => (bias === undefined ? 0 : (get(bias)[k] as number)) - (get(mean)[k] as number);
    folded.set(
      bias ?? beta,
      get(beta).map((value, k) => shift(k) * (scale[k] as number) + value),
    );
  }
  return folded;
}
