import { GraphBuilder, gradients, ValueError } from '@skiplane/core';
import { inferenceGraph } from '../graphs/inference.ts';
import type { ModelGraph } from '../graphs/model-graph.ts';
import type { Model } from '../model.ts';
import type { Layer } from '../network-builder.ts';

export interface ExplainGraphOptions {
  /** Names of the layers whose outputs are read. */
  readonly layers: readonly string[];
  /** The layer with respect to whose output the score is differentiated. */
  readonly camLayer: string;
}

/** Name of a layer's output as a value of the graph. */
export const mapName = (layer: string): string => `maps/${layer}`;

/**
 * The network with its moving statistics, for one image; the outputs of layers; and the gradient of the score Σ target·logits
 * with respect to one of them, for any class by its one-hot target.
 *
 * @shape x            [1, height, width, channels]
 * @shape target       [1, classes]
 * @shape logits, probabilities  [1, classes], outputs
 * @shape maps/<layer> the layer's output, an output
 * @shape cam/gradient like the output of `camLayer`, an output
 * @throws {ValueError} when the model has no layer of a name
 */
export function explainGraph(model: Model, { layers, camLayer }: ExplainGraphOptions): ModelGraph {
  const inference = inferenceGraph(model, { batch: 1 });
  const find = (name: string): Layer => findLayer(model, inference.layers, name);
  const build = new GraphBuilder(`${model.name} explanation`, inference.graph);
  const logits = inference.graph.values.find(({ name }) => name === 'logits')?.id ?? -1;
  const target = build.input('target', { shape: [1, model.classes], dtype: 'f32' });
  const score = build.op('reduceSum', [build.op('multiply', [logits, target], {}, 'score')], {}, 'score');
  for (const name of new Set([...layers, camLayer])) build.output(mapName(name), find(name).output);
  const backward = gradients(build.build(), score, [find(camLayer).output]);
  const whole = new GraphBuilder(build.build().name, backward.graph);
  // A copy: a gradient may be a view, which has no name of its own.
  whole.output('cam/gradient', whole.op('affine', [backward.gradients[0] ?? -1], { scale: 1, offset: 0 }, 'cam'));
  return { ...inference, graph: whole.build() };
}

function findLayer(model: Model, layers: readonly Layer[], name: string): Layer {
  const layer = layers.find((candidate) => candidate.name === name);
  if (layer !== undefined) return layer;
  throw new ValueError(
    `${model.name} has no layer '${name}': its layers are ${layers.map((candidate) => candidate.name).join(', ')}.`,
    { model: model.name, layer: name },
  );
}
