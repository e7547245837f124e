import type { LayerGraph, LayerNode } from '../layer-graph/layer-graph.ts';

/** A convolution with what runs in its epilogue. */
export interface FusedConvolution {
  /** The layer whose output this computes: the convolution itself, or the last that it has absorbed. */
  readonly name: string;
  readonly conv: LayerNode<'conv2d'>;
  /** The layer whose output is added. */
  readonly residual: string | null;
  readonly relu: boolean;
}

/** The layers of a network in an order in which they can run, convolutions with what follows them. */
export type FusedLayer = FusedConvolution | LayerNode;

export const isConvolution = (layer: FusedLayer): layer is FusedConvolution => 'conv' in layer;

/**
 * Lets each convolution absorb the addition and the ReLU that follow it, where nothing else reads what is in between; of two
 * convolutions the later one takes the addition.
 */
export function fuseLayers({ layers, output }: LayerGraph): readonly FusedLayer[] {
  const reads = new Map<string, number>([[output, 1]]);
  for (const name of layers.flatMap(({ inputs }) => inputs)) reads.set(name, (reads.get(name) ?? 0) + 1);
  const fused: FusedLayer[] = [];
  for (const layer of layers) {
    if (layer.kind === 'conv2d') {
      fused.push({ name: layer.name, conv: layer, residual: null, relu: false });
      continue;
    }
    const at = fused.findLastIndex(
      (before) =>
        reads.get(before.name) === 1 && layer.inputs.includes(before.name) && absorb(before, layer) !== undefined,
    );
    const absorbed = at < 0 ? undefined : absorb(fused[at] as FusedLayer, layer);
    if (absorbed !== undefined) fused.splice(at, 1);
    fused.push(absorbed ?? layer);
  }
  return fused;
}

/** The convolution with the layer in its epilogue; undefined where that cannot be. */
function absorb(before: FusedLayer, { name, kind, inputs }: LayerNode): FusedConvolution | undefined {
  if (!isConvolution(before) || before.relu) return undefined;
  if (kind === 'relu') return { ...before, name, relu: true };
  if (kind !== 'add' || inputs.length !== 2 || before.residual !== null) return undefined;
  return { ...before, name, residual: inputs.find((input) => input !== before.name) ?? null };
}
