import {
  dropoutRandom,
  elementCount,
  inputValues,
  randomStream,
  uniforms,
  type Graph,
  type TypedArray,
} from '../../src/index.ts';

/** Random data for every input of a graph, by name: variances above 0, and what dropout draws by. */
export function tensorData(graph: Graph): Record<string, TypedArray> {
  return Object.fromEntries(
    inputValues(graph).map(({ name = '', shape, dtype }) => [
      name,
      dtype === 'i32'
        ? dropoutRandom(5, 6)
        : Float32Array.from(uniforms(randomStream(3, name), elementCount(shape)), (u) => u + 0.1),
    ]),
  );
}
