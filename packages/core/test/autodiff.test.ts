import { describe, expect, test } from 'vitest';
import { gradients, GraphBuilder, GraphError, printGraph, valueOf, type ValueId } from '../src/index.ts';
import { messageOf } from './support/error-message.ts';

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;

function sumOfRelu() {
  const build = new GraphBuilder('sum');
  const x = build.input('x', f32(2, 3));
  const y = build.op('relu', [x], {}, 'act');
  const loss = build.op('reduceSum', [y], {});
  return { build, x, y, loss };
}

const refusal = (body: () => unknown): string => messageOf(GraphError, body);

describe('gradients', () => {
  test('extends the graph and leaves its values as they are', () => {
    const { build, x, loss } = sumOfRelu();
    const graph = build.build();
    const extended = gradients(graph, loss, [x]);
    expect(extended.graph.values.slice(0, graph.values.length)).toEqual(graph.values);
    expect(extended.graph.ops.slice(0, graph.ops.length)).toEqual(graph.ops);
    expect(valueOf(extended.graph, extended.gradients[0] ?? -1).shape).toEqual([2, 3]);
    expect(printGraph(extended.graph)).toBe(
      [
        "graph 'sum'",
        '  x: f32[2,3]',
        '  %1: f32[2,3] = relu x=x  # act',
        '  %2: f32[] = reduceSum x=%1',
        '  %3: f32[] = fill {"shape":[],"value":1}  # gradients',
        '  %4: f32[2,3] = broadcastScalar x=%3 {"shape":[2,3]}',
        '  %5: f32[2,3] = reluGrad dy=%4 y=%1  # act',
      ].join('\n'),
    );
  });

  test('computes what is asked for only', () => {
    const build = new GraphBuilder('dense');
    const x = build.input('x', f32(2, 3));
    const kernel = build.input('kernel', f32(3, 4));
    const y = build.op('matMul', [x, kernel], { transposeA: false, transposeB: false });
    const loss = build.op('reduceSum', [y], {});
    const { graph, gradients: ids } = gradients(build.build(), loss, [kernel]);
    expect(graph.ops.filter((op) => op.kind === 'matMul')).toHaveLength(2);
    expect(ids.map((id) => valueOf(graph, id).shape)).toEqual([[3, 4]]);
  });

  test('gives the gradient of an intermediate value, and of the loss itself', () => {
    const { build, y, loss } = sumOfRelu();
    const { graph, gradients: ids } = gradients(build.build(), loss, [y, loss]);
    expect(ids.map((id) => valueOf(graph, id).shape)).toEqual([[2, 3], []]);
  });

  test('refuses a loss that is no scalar', () => {
    const { build, x, y } = sumOfRelu();
    const graph = build.build();
    expect(refusal(() => gradients(graph, y, [x]))).toBe('gradients: the loss must be a scalar, but value 1 is [2,3]');
  });

  test('refuses a value that the loss does not depend on, by name', () => {
    const { build, loss } = sumOfRelu();
    const other = build.input('other', f32(2));
    const unnamed = build.op('relu', [other], {});
    const graph = build.build();
    expect(refusal(() => gradients(graph, loss, [other]))).toBe("gradients: the loss does not depend on 'other'");
    expect(refusal(() => gradients(graph, loss, [unnamed]))).toBe("gradients: the loss does not depend on 'value 4'");
  });

  test('refuses to leave out a path through an operand that has no gradient', () => {
    const build = new GraphBuilder('labels');
    const logits = build.input('logits', f32(2, 3));
    const labels = build.input('labels', f32(2, 3));
    const losses = build.op('softmaxCrossEntropy', [logits, labels], { labelSmoothing: 0 }, 'loss');
    const penalty = build.op('l2Penalty', [labels], { scale: 1 });
    const loss = build.op('add', [build.op('reduceSum', [losses], {}), penalty], {});
    const graph = build.build();
    expect(refusal(() => gradients(graph, loss, [labels]))).toBe(
      "gradients: softmaxCrossEntropy 'loss' has no gradient with respect to its operand 'labels', " +
        "but 'labels' is or depends on a value of `wrt`",
    );
    expect(gradients(graph, loss, [logits]).gradients).toHaveLength(1);
  });

  test('refuses a loss of the statistics of a batch norm', () => {
    const build = new GraphBuilder('statistics');
    const names = ['x', 'gamma', 'beta', 'mean', 'variance'];
    const inputs = names.map((name): ValueId => build.input(name, f32(...(name === 'x' ? [4, 2] : [2]))));
    const attrs = {
      epsilon: 1e-3,
      momentum: 0.9,
      movingVariance: 'biased',
      residual: false,
      activation: 'none',
    } as const;
    const [y = -1, mean = -1] = build.opOutputs('batchNormTraining', inputs, attrs);
    const loss = build.op('add', [build.op('reduceSum', [y], {}), build.op('reduceSum', [mean], {})], {});
    expect(refusal(() => gradients(build.build(), loss, [0]))).toBe(
      "'batchNormTraining' has a gradient for its result y only, but the loss depends on its statistics",
    );
  });
});
