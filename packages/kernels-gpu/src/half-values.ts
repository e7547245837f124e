import {
  byteLength,
  elementCount,
  opDef,
  valueOf,
  type Graph,
  type OpKind,
  type Value,
  type ValueId,
} from '@skiplane/core';

/** What activations and their gradients are held in; arithmetic is in f32 either way. */
export type Precision = 'f32' | 'f16';

/** Ops whose results of rank 4 are activations or their gradients. */
const imageOps: ReadonlySet<OpKind> = new Set<OpKind>([
  'conv2d',
  'conv2dBackpropInput',
  'batchNormTraining',
  'batchNormRecompute',
  'batchNormInference',
  'batchNormGrad',
  'averagePool2d',
  'averagePool2dGrad',
  'maxPool2dGrad',
  'gatherImages',
]);

/**
 * Ops whose results are what one of their inputs is. Max pooling is among them, since its gradient looks for the result among
 * the inputs, bit by bit.
 */
const likeInputOps: ReadonlySet<OpKind> = new Set<OpKind>([
  'add',
  'affine',
  'biasAdd',
  'dropout',
  'maxPool2d',
  'multiply',
  'relu',
  'reluGrad',
  'sigmoid',
  'sigmoidGrad',
]);

/**
 * The values that are held as f16 with precision 'f16': unnamed activations and gradients of activations, of rank 4, and views of them. Gradients of
 * parameters stay f32 even where they are of rank 4: divided by the scale of the loss, they would underflow.
 */
export function halvesWith(precision: Precision, graph: Graph): ReadonlySet<ValueId> {
  const halves = new Set<ValueId>();
  if (precision === 'f32') return halves;
  for (const op of graph.ops) {
    const aliases = opDef<OpKind>(op.kind).aliases ?? [];
    const images = imageOps.has(op.kind) || (likeInputOps.has(op.kind) && op.inputs.some((id) => halves.has(id)));
    op.outputs.forEach((id, position) => {
      const { name, shape, dtype } = valueOf(graph, id);
      const alias = aliases.find(({ output }) => output === position);
      const half =
        alias === undefined
          ? images && name === undefined && shape.length === 4 && dtype === 'f32'
          : halves.has(op.inputs[alias.input] as ValueId);
      if (half) halves.add(id);
    });
  }
  return halves;
}

/** Bytes of a value in a program's arena. */
export function bytesWith(halves: ReadonlySet<ValueId>): (value: Value) => number {
  return (value) => (halves.has(value.id) ? 2 * elementCount(value.shape) : byteLength(value));
}
