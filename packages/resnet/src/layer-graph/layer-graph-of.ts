import { inferenceGraph } from '../graphs/inference.ts';
import { isLayerGraph, type Model } from '../model.ts';
import type { LayerGraph } from './layer-graph.ts';
import { layersOf } from './layers-of.ts';

/** Any model as a graph of layers, whose parameters have the same names. */
export function layerGraphOf(model: Model): LayerGraph {
  if (isLayerGraph(model)) return model;
  const { name, imageSize, channels, classes } = model;
  const { graph } = inferenceGraph(model, { batch: 1 });
  return { name, imageSize, channels, classes, ...layersOf(graph) };
}
