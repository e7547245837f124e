import type { ModelConfig } from '../config.ts';
import { NetworkBuilder } from '../network-builder.ts';
import { addImages, addNetwork, type ModelGraph } from './model-graph.ts';

export interface BatchOption {
  /** Images in one run. */
  readonly batch: number;
}

/**
 * The network with its moving statistics.
 *
 * @shape x             [batch, height, width, channels]
 * @shape logits        [batch, classes], an output
 * @shape probabilities [batch, classes], an output
 */
export function inferenceGraph(config: ModelConfig, { batch }: BatchOption): ModelGraph {
  const net = new NetworkBuilder(`${config.name} inference`, { mode: 'inference' });
  const logits = addNetwork(net, addImages(net, config, batch), config);
  net.build.output('logits', logits);
  net.build.output('probabilities', net.build.op('softmax', [logits], {}, 'head/softmax'));
  return { graph: net.build.build(), parameters: net.parameters, layers: net.layers };
}
