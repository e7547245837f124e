import { foldConvolution } from '@skiplane/core';
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
 * A network without the batch norms behind its convolutions, by `foldConvolution`. Other batch norms stay.
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
  const get = (name: string): Float32Array => parameters.get(name) ?? new Float32Array(0);
  const folded = foldConvolution({
    filter: get(`${conv.name}/filter`),
    bias: parameters.get(`${conv.name}/bias`) ?? null,
    gamma: get(`${norm.name}/gamma`),
    beta: get(`${norm.name}/beta`),
    mean: get(`${norm.name}/mean`),
    variance: get(`${norm.name}/variance`),
    epsilon: norm.attrs.epsilon,
  });
  for (const role of ['gamma', 'beta', 'mean', 'variance']) parameters.delete(`${norm.name}/${role}`);
  parameters.set(`${conv.name}/filter`, folded.filter);
  parameters.set(`${conv.name}/bias`, folded.bias);
}
