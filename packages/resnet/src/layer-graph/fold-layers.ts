import type { Model } from '../model.ts';
import type { Parameters } from '../parameters.ts';
import { layerGraphOf } from './layer-graph-of.ts';
import type { LayerGraph, LayerNode } from './layer-graph.ts';

/** A network and its parameters. */
export interface Weighted<M extends Model = Model> {
  readonly model: M;
  readonly parameters: Parameters;
}

/**
 * A network without the batch norms behind its convolutions: filter·s and (bias − mean)·s + beta with
 * s = gamma/√(variance + epsilon), in float64, rounded once. Other batch norms stay.
 *
 * @source Jacob et al. 2018, §3.2
 */
export function foldLayers({ model, parameters }: Weighted): Weighted<LayerGraph> {
  const graph = layerGraphOf(model);
  const folded = new Map(parameters);
  const gone = new Map<string, string>();
  const layers = new Map(graph.layers.map((layer) => [layer.name, layer]));
  for (const norm of graph.layers) {
    const conv = layers.get(norm.inputs[0] ?? '');
    if (norm.kind !== 'batchNorm' || conv?.kind !== 'conv2d' || !readOnce(graph, conv.name)) continue;
    foldInto(folded, conv, norm);
    layers.set(conv.name, { ...conv, attrs: { ...conv.attrs, bias: true } });
    layers.delete(norm.name);
    gone.set(norm.name, conv.name);
  }
  const kept = [...layers.values()].map((layer) => ({
    ...layer,
    inputs: layer.inputs.map((input) => gone.get(input) ?? input),
  }));
  return { model: { ...graph, layers: kept, output: gone.get(graph.output) ?? graph.output }, parameters: folded };
}

function readOnce({ layers, output }: LayerGraph, name: string): boolean {
  return name !== output && layers.flatMap(({ inputs }) => inputs).filter((input) => input === name).length === 1;
}

function foldInto(
  parameters: Map<string, Float32Array>,
  conv: LayerNode<'conv2d'>,
  norm: LayerNode<'batchNorm'>,
): void {
  const take = (role: string): Float32Array => {
    const data = parameters.get(`${norm.name}/${role}`) ?? new Float32Array(0);
    parameters.delete(`${norm.name}/${role}`);
    return data;
  };
  const [gamma, beta, mean, variance] = [take('gamma'), take('beta'), take('mean'), take('variance')];
  const scale = Float64Array.from(gamma, (value, k) => value / Math.sqrt((variance[k] as number) + norm.attrs.epsilon));
  const filter = parameters.get(`${conv.name}/filter`) ?? new Float32Array(0);
  const bias = parameters.get(`${conv.name}/bias`) ?? new Float32Array(scale.length);
  parameters.set(
    `${conv.name}/filter`,
    filter.map((value, i) => value * (scale[i % scale.length] as number)),
  );
  parameters.set(
    `${conv.name}/bias`,
    bias.map((value, k) => (value - (mean[k] as number)) * (scale[k] as number) + (beta[k] as number)),
  );
}
