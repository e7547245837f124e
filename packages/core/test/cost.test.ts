import { expect, test } from 'vitest';
import {
  GraphBuilder,
  inputValues,
  opDef,
  samePadding,
  valueOf,
  type Graph,
  type Op,
  type OpCost,
  type OpKind,
} from '../src/index.ts';

function costOf<K extends OpKind>(graph: Graph, op: Op<K>): OpCost {
  const specs = (ids: readonly number[]) => ids.map((id) => valueOf(graph, id));
  return opDef<K>(op.kind).cost(specs(op.inputs), specs(op.outputs), op.attrs);
}

/** The costs of a convolution of ResNet-20's second stack, 8 images, 16 to 32 channels, stride 2, and of its gradients. */
function convolutions(): Graph {
  const build = new GraphBuilder('costs');
  const window = { strides: [2, 2], padding: samePadding([32, 32], [3, 3], [2, 2]) } as const;
  const x = build.input('x', { shape: [8, 32, 32, 16], dtype: 'f32' });
  const filter = build.input('filter', { shape: [3, 3, 16, 32], dtype: 'f32' });
  const y = build.op('conv2d', [x, filter], { window, bias: false, residual: false, activation: 'none' });
  build.op('conv2dBackpropInput', [filter, y], {
    window,
    inputSize: [32, 32],
    residual: false,
    activationGrad: 'none',
  });
  build.op('conv2dBackpropFilter', [x, y], { window, filterSize: [3, 3] });
  return build.build();
}

test('a convolution and both of its gradients cost two operations per multiply-add', () => {
  const graph = convolutions();
  const multiplyAdds = 8 * 16 * 16 * 32 * (3 * 3 * 16);
  const x = 8 * 32 * 32 * 16;
  const filter = 3 * 3 * 16 * 32;
  const y = 8 * 16 * 16 * 32;
  expect(inputValues(graph).map(({ name }) => name)).toEqual(['x', 'filter']);
  for (const op of graph.ops)
    expect(costOf(graph, op)).toEqual({ flops: 2 * multiplyAdds, bytes: 4 * (x + filter + y) });
});

test('a product of matrices costs two operations per multiply-add, transposed or not', () => {
  for (const transposeA of [false, true]) {
    const build = new GraphBuilder('dense');
    const a = build.input('a', { shape: transposeA ? [64, 32] : [32, 64], dtype: 'f32' });
    const b = build.input('b', { shape: [64, 10], dtype: 'f32' });
    build.op('matMul', [a, b], { transposeA, transposeB: false });
    const graph = build.build();
    const expected = { flops: 2 * 32 * 64 * 10, bytes: 4 * (32 * 64 + 64 * 10 + 32 * 10) };
    expect(graph.ops.map((op) => costOf(graph, op))).toEqual([expected]);
  }
});

test('a view is free, an elementwise op costs its elements', () => {
  const build = new GraphBuilder('cheap');
  const x = build.input('x', { shape: [2, 3], dtype: 'f32' });
  build.op('relu', [build.op('reshape', [x], { shape: [6] })], {});
  const graph = build.build();
  expect(graph.ops.map((op) => costOf(graph, op))).toEqual([
    { flops: 0, bytes: 0 },
    { flops: 6, bytes: 48 },
  ]);
});
