import { ValueError } from './errors.ts';
import { inputValues, readersOf, valueOf, type Graph, type Op, type ValueId } from './graph.ts';
import { prune } from './prune.ts';

/** An inference graph without the batch norms behind its convolutions, and the rule for its parameters. */
export interface FoldedGraph {
  readonly graph: Graph;
  /**
   * Parameters of the folded graph from those of the original one, by {@link foldConvolution}. Names stay; those of gamma,
   * beta, mean and variance are gone, but for a beta that has become the bias of a convolution without one.
   */
  fold(parameters: ReadonlyMap<string, Float32Array>): Map<string, Float32Array>;
}

/** A convolution and the batch norm behind it. */
export interface NormalizedConvolution {
  readonly filter: Float32Array;
  /** Null where the convolution has none. */
  readonly bias: Float32Array | null;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly epsilon: number;
}

/**
 * The convolution that does the work of both: filter·s and (bias − mean)·s + beta with s = gamma/√(variance + epsilon), in
 * float64, rounded once.
 *
 * @shape filter [filterHeight, filterWidth, inChannels, outChannels]
 * @shape bias   [outChannels], as all others
 * @source Jacob et al. 2018, §3.2
 */
export function foldConvolution({ filter, bias, gamma, beta, mean, variance, epsilon }: NormalizedConvolution): {
  readonly filter: Float32Array;
  readonly bias: Float32Array;
} {
  const scale = Float64Array.from(gamma, (value, k) => value / Math.sqrt((variance[k] as number) + epsilon));
  const channels = scale.length;
  const scaled = new Float32Array(filter.length);
  for (let at = 0; at < filter.length; at += channels)
    for (let k = 0; k < channels; k++) scaled[at + k] = (filter[at + k] as number) * (scale[k] as number);
  return {
    filter: scaled,
    bias: (bias ?? new Float32Array(channels)).map(
      (value, k) => (value - (mean[k] as number)) * (scale[k] as number) + (beta[k] as number),
    ),
  };
}

interface Fold {
  readonly epsilon: number;
  readonly filter: string;
  /** Null where the convolution has none: beta takes its place. */
  readonly bias: string | null;
  readonly gamma: string;
  readonly beta: string;
  readonly mean: string;
  readonly variance: string;
}

/**
 * Folds every `conv2d → biasAdd → batchNormInference` of an unfused graph, and every `conv2d → batchNormInference`, into
 * `conv2d → biasAdd`. A batch norm with no convolution before it, such as a pre-activation one, stays.
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
    const { biasAdd, names } = match;
    folds.push({ epsilon: op.attrs.epsilon, ...names });
    const [x, gamma, beta, mean, variance] = op.inputs as [ValueId, ValueId, ValueId, ValueId, ValueId];
    for (const id of [gamma, mean, variance]) gone.add(id);
    // A biasAdd takes the batch norm's place and name: its own output was read by the batch norm alone.
    if (biasAdd === undefined) {
      ops.push({ kind: 'biasAdd', label: op.label, inputs: [x, beta], outputs: op.outputs, attrs: {} });
      continue;
    }
    gone.add(beta);
    ops.splice(ops.indexOf(biasAdd), 1);
    ops.push({ ...biasAdd, outputs: op.outputs });
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
  if (op.attrs.residual || op.attrs.activation !== 'none' || !internal(x)) return undefined;
  const before = producer.get(x);
  const biasAdd = before?.kind === 'biasAdd' ? before : undefined;
  const convolved = biasAdd === undefined ? x : (biasAdd.inputs[0] as ValueId);
  const conv = producer.get(convolved);
  if (conv?.kind !== 'conv2d' || !internal(convolved)) return undefined;
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
  return {
    biasAdd,
    names: { bias: null, ...(Object.fromEntries(names) as unknown as Omit<Fold, 'epsilon' | 'bias'>) },
  };
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
    const conv = foldConvolution({
      filter: get(filter),
      bias: bias === null ? null : get(bias),
      gamma: get(gamma),
      beta: get(beta),
      mean: get(mean),
      variance: get(variance),
      epsilon,
    });
    folded.set(filter, conv.filter);
    folded.set(bias ?? beta, conv.bias);
  }
  return folded;
}
