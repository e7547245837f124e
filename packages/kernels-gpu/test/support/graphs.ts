import { GraphBuilder, type Backend, type Graph, type Tensor } from '@skiplane/core';

export const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;

/** y = 2x + 1. */
export function doubling(count = 5): Graph {
  const build = new GraphBuilder('doubling');
  build.output('y', build.op('affine', [build.input('x', f32(count))], { scale: 2, offset: 1 }));
  return build.build();
}

/** A tensor of zeros for every named value. */
export function bind(backend: Backend, graph: Graph): Map<string, Tensor> {
  return new Map(
    graph.values.flatMap((value) => (value.name === undefined ? [] : [[value.name, backend.tensor(value)] as const])),
  );
}
