import type { OutLayer } from './keras-layers.ts';

/**
 * Layers in the order in which Keras counts them, which decides whose weights are whose: those farthest from the output
 * first, and of one distance those first that a search from the output, depth first, meets first.
 * @source https://github.com/keras-team/keras/blob/v3.15.0/keras/src/ops/function.py, `map_graph`
 */
export function kerasOrder(layers: readonly OutLayer[], output: string): readonly OutLayer[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const met = meetingOrder(byName, output);
  const distances = new Map<string, number>([[output, 0]]);
  // Every layer stands behind those that it reads.
  for (const { name, inputs } of layers.toReversed()) {
    const distance = distances.get(name);
    if (distance === undefined) continue;
    for (const input of inputs) distances.set(input, Math.max(distances.get(input) ?? 0, distance + 1));
  }
  return layers
    .filter(({ name }) => met.has(name))
    .toSorted((a, b) => numberOf(distances, b) - numberOf(distances, a) || numberOf(met, a) - numberOf(met, b));
}

function meetingOrder(byName: ReadonlyMap<string, OutLayer>, output: string): ReadonlyMap<string, number> {
  const met = new Map<string, number>();
  const stack = [output];
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    if (met.has(name)) continue;
    met.set(name, met.size);
    stack.push(...(byName.get(name)?.inputs ?? []).toReversed());
  }
  return met;
}

function numberOf(numbers: ReadonlyMap<string, number>, { name }: OutLayer): number {
  return numbers.get(name) ?? 0;
}
