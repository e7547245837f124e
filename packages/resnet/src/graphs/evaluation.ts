import type { Model } from '../model.ts';
import { NetworkBuilder } from '../network-builder.ts';
import {
  addImages,
  addLabels,
  addNetwork,
  inferenceOptions,
  type GatheredImages,
  type ModelGraph,
} from './model-graph.ts';
import type { BatchOption } from './inference.ts';

export interface EvaluationGraphOptions extends BatchOption {
  /** Where the images come from (default: the input `x`). */
  readonly images?: GatheredImages | undefined;
}

/**
 * The network with its moving statistics, and sums over all runs since the sums were zeroed.
 * The L2 penalty is not in the loss: it depends on the parameters alone, so it is added once, by whoever reads the sum.
 *
 * @shape x             [batch, height, width, channels], or what `addImages` has in its place
 * @shape labels        [batch, classes], one-hot
 * @shape sampleWeights [batch]: 1, or 0 for the padding of a last batch
 * @shape logits        [batch, classes], an output
 * @shape metrics/loss, metrics/correct  scalars, state: Σ weight·cross-entropy and Σ weight·[label is the first choice]
 */
export function evaluationGraph(model: Model, { batch, images }: EvaluationGraphOptions): ModelGraph {
  const net = new NetworkBuilder(`${model.name} evaluation`, inferenceOptions(model));
  const { build } = net;
  const logits = addNetwork(net, addImages(net, model, batch, images), model);
  const labels = addLabels(net, model, batch);
  const weights = build.input('sampleWeights', { shape: [batch], dtype: 'f32' });
  const losses = build.op('softmaxCrossEntropy', [logits, labels], { labelSmoothing: 0 }, 'loss');
  const correct = build.op('topKCorrect', [logits, labels], { k: 1 }, 'correct');
  for (const [name, perExample] of [
    ['metrics/loss', losses],
    ['metrics/correct', correct],
  ] as const) {
    const sum = build.op('reduceSum', [build.op('multiply', [perExample, weights], {}, name)], {}, name);
    build.op('assignAdd', [build.input(name, { shape: [], dtype: 'f32' }), sum], {}, name);
  }
  build.output('logits', logits);
  return { graph: build.build(), parameters: net.parameters, layers: net.layers };
}
