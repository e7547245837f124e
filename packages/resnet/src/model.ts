import type { ModelConfig } from './config.ts';
import type { LayerGraph } from './layer-graph/layer-graph.ts';

/** A network: one of the families by its configuration, or any other as a graph of layers. */
export type Model = ModelConfig | LayerGraph;

/** What all models have in common: the name, and the shapes of their input and output. */
export type ModelShape = Pick<ModelConfig, 'name' | 'imageSize' | 'channels' | 'classes'>;

export function isLayerGraph(model: Model): model is LayerGraph {
  return 'layers' in model;
}
