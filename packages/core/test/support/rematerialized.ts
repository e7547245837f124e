import { elementCount, inputValues, randomStream, uniforms, type Graph } from '../../src/index.ts';

/** Random data for every input of a graph, by name: variances above 0. */
export function tensorData(graph: Graph): Record<string, Float32Array> {
  return Object.fromEntries(
    inputValues(graph).map(({ name = '', shape }) => [
      name,
      Float32Array.from(uniforms(randomStream(3, name), elementCount(shape)), (u) => u + 0.1),
    ]),
  );
}
