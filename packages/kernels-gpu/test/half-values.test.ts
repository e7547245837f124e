import { gradients, GraphBuilder, samePadding, valueOf, window2d, type Graph } from '@skiplane/core';
import { expect, test } from 'vitest';
import { bytesWith, halvesWith } from '../src/half-values.ts';
import { f32 } from './support/graphs.ts';

/** x → conv → relu → reshape → matMul → sum with a penalty of the filter, and the gradient of the filter, added up twice. */
function graphOf(): Graph {
  const build = new GraphBuilder('net');
  const window = window2d(1, samePadding([4, 4], [3, 3], [1, 1]));
  const filter = build.input('filter', f32(3, 3, 4, 4));
  const attrs = { window, bias: false, residual: false, activation: 'none' } as const;
  const convolved = build.op('conv2d', [build.input('x', f32(2, 4, 4, 4)), filter], attrs);
  const flat = build.op('reshape', [build.op('relu', [convolved], {})], { shape: [2, 64] });
  const kernel = build.input('kernel', f32(64, 3));
  const sum = build.op('reduceSum', [build.op('matMul', [flat, kernel], { transposeA: false, transposeB: false })], {});
  const loss = build.op('add', [sum, build.op('l2Penalty', [filter], { scale: 0.1 })], {});
  return gradients(build.build(), loss, [filter]).graph;
}

test('activations and their gradients are halves, views of them too; parameters and their gradients are not', () => {
  const graph = graphOf();
  const halves = halvesWith('f16', graph);
  const kinds = (half: boolean) =>
    graph.ops.filter(({ outputs }) => outputs.some((id) => halves.has(id) === half)).map(({ kind }) => kind);
  expect(kinds(true)).toEqual(['conv2d', 'relu', 'reshape', 'reluGrad']);
  expect(kinds(false)).toEqual(expect.arrayContaining(['matMul', 'conv2dBackpropFilter', 'l2PenaltyGrad']));
  for (const { id, name } of graph.values) if (name !== undefined) expect(halves.has(id)).toBe(false);
  const [first = -1] = graph.ops[0]?.outputs ?? [];
  expect(bytesWith(halves)(valueOf(graph, first))).toBe(2 * 2 * 64);
});

test('nothing is half in f32', () => {
  expect(halvesWith('f32', graphOf()).size).toBe(0);
});
