import type { Padding2d } from '@skiplane/core';
import type { LayerNode } from './layer-graph.ts';

/**
 * Puts the zeros of a `pad` layer into the windows that read it: of convolutions, and of largest elements where none is
 * below zero, behind a ReLU. A `pad` that another layer reads stays.
 */
export function foldPads(layers: readonly LayerNode[]): readonly LayerNode[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const folds = (pad: LayerNode<'pad'>, reader: LayerNode): boolean => {
    if (reader.kind === 'conv2d') return true;
    if (reader.kind !== 'maxPool' || byName.get(pad.inputs[0] ?? '')?.kind !== 'relu') return false;
    const { top, bottom, left, right } = sum(pad.attrs.padding, reader.attrs.padding);
    return Math.max(top, bottom) < reader.attrs.size[0] && Math.max(left, right) < reader.attrs.size[1];
  };
  const gone = new Map<string, LayerNode<'pad'>>();
  for (const layer of layers) {
    if (layer.kind !== 'pad') continue;
    const readers = layers.filter(({ inputs }) => inputs.includes(layer.name));
    if (readers.length > 0 && readers.every((reader) => folds(layer, reader))) gone.set(layer.name, layer);
  }
  return layers
    .filter(({ name }) => !gone.has(name))
    .map((layer) => {
      const pad = gone.get(layer.inputs[0] ?? '');
      if (pad === undefined || (layer.kind !== 'conv2d' && layer.kind !== 'maxPool')) return layer;
      const attrs = { ...layer.attrs, padding: sum(pad.attrs.padding, layer.attrs.padding) };
      return { ...layer, inputs: pad.inputs, attrs } as LayerNode;
    });
}

function sum(a: Padding2d, b: Padding2d): Padding2d {
  return { top: a.top + b.top, bottom: a.bottom + b.bottom, left: a.left + b.left, right: a.right + b.right };
}
