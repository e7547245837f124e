import type { KerasLayer } from './keras-config.ts';
import type { FileTensor } from './model-file.ts';

/** Layers by one of the names on their paths: 0 is the outermost, -1 their own. */
export function layersBy(layers: readonly KerasLayer[], place: 0 | -1): ReadonlyMap<string, readonly KerasLayer[]> {
  const all = new Map<string, KerasLayer[]>();
  for (const layer of layers) {
    const name = layer.path.at(place) ?? '';
    const others = all.get(name);
    if (others === undefined) all.set(name, [layer]);
    else others.push(layer);
  }
  return all;
}

/** What stands for a layer, whichever of its calls it is. */
export function layerKey({ path }: Pick<KerasLayer, 'path'>): string {
  return path.join('/');
}

/**
 * Weights by the layers that their names tell, such as `backbone/conv2d/kernel:0`, where the models in front may be left out.
 * @returns `strange` are those that tell of no layer
 */
export function weightsByName(
  tensors: Iterable<FileTensor>,
  layers: readonly KerasLayer[],
): { readonly owned: ReadonlyMap<string, readonly FileTensor[]>; readonly strange: readonly FileTensor[] } {
  const byOwnName = layersBy(layers, -1);
  const owned = new Map<string, FileTensor[]>();
  const strange: FileTensor[] = [];
  for (const tensor of tensors) {
    const parts = tensor.name.split('/').slice(0, -1);
    const candidates = byOwnName.get(parts.findLast((part) => byOwnName.has(part)) ?? '') ?? [];
    const told = ({ path }: KerasLayer): number => path.filter((part) => parts.includes(part)).length;
    const [owner] = candidates.toSorted((a, b) => told(b) - told(a));
    if (owner === undefined) strange.push(tensor);
    else owned.set(layerKey(owner), [...(owned.get(layerKey(owner)) ?? []), tensor]);
  }
  return { owned, strange };
}
