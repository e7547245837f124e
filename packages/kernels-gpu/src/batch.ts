import { valueOf, type Graph, type Op, type ValueId } from '@skiplane/core';

/** Position of the operand that carries the batch. */
const imagesAt = ({ kind }: Op): number => (kind === 'conv2dBackpropInput' ? 1 : 0);

/** The batch of a graph: the first axis of the first images that an op works on, or else of its first value. */
export function batchOf(graph: Graph): number {
  const shapes = graph.ops.map((op) => valueOf(graph, op.inputs[imagesAt(op)] ?? 0).shape);
  const images = shapes.find((shape) => shape.length === 4) ?? graph.values[0]?.shape;
  return images?.[0] ?? 1;
}

/**
 * The graph with another batch in the shapes of its values: enough to ask how much memory it would need. Attributes that depend
 * on the batch, such as the scale of a mean, are not changed, so that it must not be run.
 */
export function withBatch(graph: Graph, from: number, to: number): Graph {
  const filters = filtersOf(graph);
  const values = graph.values.map((value) =>
    value.shape[0] === from && !filters.has(value.id) ? { ...value, shape: [to, ...value.shape.slice(1)] } : value,
  );
  return { ...graph, values };
}

/** Filters of convolutions and their gradients, whose height may happen to be the batch. */
function filtersOf(graph: Graph): ReadonlySet<ValueId | undefined> {
  return new Set(
    graph.ops.map(({ kind, inputs, outputs }) => {
      if (kind === 'conv2d') return inputs[1];
      if (kind === 'conv2dBackpropInput') return inputs[0];
      return kind === 'conv2dBackpropFilter' ? outputs[0] : undefined;
    }),
  );
}
