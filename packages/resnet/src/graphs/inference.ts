import type { Model } from '../model.ts';
import { NetworkBuilder } from '../network-builder.ts';
import { kerasL2, type L2Settings } from '../recipe/keras-constants.ts';
import { addImages, addNetwork, inferenceOptions, type ModelGraph } from './model-graph.ts';

export interface InferenceGraphOptions extends BatchOption {
  /** Decides the L2 scales of the parameters' specs, and nothing of the graph (default: Keras's). */
  readonly l2?: L2Settings;
}

export interface BatchOption {
  /** Images in one run. */
  readonly batch: number;
}

/** Of models with Keras's penalties, for one image: who loads a file asks for its parameters, and may predict with it. */
const known = new WeakMap<Model, ModelGraph>();

/**
 * The network with its moving statistics.
 *
 * @shape x             [batch, height, width, channels]
 * @shape logits        [batch, classes], an output
 * @shape probabilities [batch, classes], an output
 */
export function inferenceGraph(model: Model, { batch, l2 = kerasL2 }: InferenceGraphOptions): ModelGraph {
  if (batch !== 1 || l2 !== kerasL2) return buildGraph(model, batch, l2);
  const graph = known.get(model) ?? buildGraph(model, batch, l2);
  known.set(model, graph);
  return graph;
}

function buildGraph(model: Model, batch: number, l2: L2Settings): ModelGraph {
  const net = new NetworkBuilder(`${model.name} inference`, { ...inferenceOptions(model), l2 });
  const logits = addNetwork(net, addImages(net, model, batch), model);
  net.build.output('logits', logits);
  net.build.output('probabilities', net.build.op('softmax', [logits], {}, 'head/softmax'));
  return { graph: net.build.build(), parameters: net.parameters, layers: net.layers };
}
