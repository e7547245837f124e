import { ValueError } from '@skiplane/core';
import { inferenceGraph } from '../graphs/inference.ts';
import { isLayerGraph, type Model } from '../model.ts';
import type { Layer } from '../network-builder.ts';

/** Whether a layer's output still has height and width, more than one pixel of them. */
function isImage({ outputShape }: Layer): boolean {
  const [height = 1, width = 1] = outputShape;
  return outputShape.length === 3 && height * width > 1;
}

/** `stage1/block2` of `stage1/block2/relu`. */
function scopeOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}

/**
 * The layers whose outputs are the residual stream: what the stem gives, and what every block hands to the next. Of a graph of
 * layers, whose names say nothing of blocks, the additions; of one without additions, the activations.
 */
export function residualStream(model: Model): readonly string[] {
  const layers = inferenceGraph(model, { batch: 1 }).layers.filter(isImage);
  if (!isLayerGraph(model)) {
    return layers.filter(({ name }, i) => scopeOf(layers[i + 1]?.name ?? '') !== scopeOf(name)).map(({ name }) => name);
  }
  const additions = layers.filter(({ kind }) => kind === 'add');
  return (additions.length > 0 ? additions : layers.filter(({ kind }) => kind === 'relu')).map(({ name }) => name);
}

/** The last layer whose output is an image still: what Grad-CAM looks at. @throws {ValueError} when there is none */
export function lastImageLayer(model: Model): string {
  const layer = inferenceGraph(model, { batch: 1 }).layers.findLast(isImage);
  if (layer === undefined) throw new ValueError(`no layer of ${model.name} gives an image of more than one pixel.`);
  return layer.name;
}
