import { describe, expect, test } from 'vitest';
import { GraphBuilder, noPadding, window2d } from '../src/index.ts';
import { spreadOperands } from '../src/reference/bound/spread.ts';
import { claimedBound, kernelBound, largestBound } from '../src/reference/index.ts';

const claim = (kernel: string) => (kernel === 'mixing' ? { factor: 4, spread: 3 } : 1);

describe('what kernels claim of their error', () => {
  test('is 1, or what is measured of Winograd kernels', () => {
    expect(kernelBound('conv2d.direct-2x16.relaxed-simd')).toBe(1);
    expect(kernelBound('conv2dBackpropInput.winograd-4x4.simd')).toEqual({ factor: 2, spread: 3 });
    expect(kernelBound('conv2dBackpropFilter.winograd-4x4')).toEqual({ factor: 8, spread: 5 });
  });

  test('is the largest of several', () => {
    expect(largestBound([])).toBe(1);
    expect(largestBound([1, 3])).toBe(3);
    expect(largestBound([{ factor: 2, spread: 5 }, 4, { factor: 3, spread: 1 }])).toEqual({ factor: 4, spread: 5 });
  });

  test('is, for a kind of op in a program, the largest of its kernels', () => {
    const op = { label: '', cost: { flops: 0, bytes: 0 } };
    const report = {
      backend: 'x',
      arenaBytes: 0,
      workspaceBytes: 0,
      ops: [
        { ...op, kind: 'conv2d', kernels: ['pack', 'mixing'] },
        { ...op, kind: 'conv2d', kernels: ['direct'] },
        { ...op, kind: 'relu', kernels: ['mixing'] },
      ] as const,
    };
    expect(claimedBound(report, 'conv2d', claim)).toEqual({ factor: 4, spread: 3 });
    expect(claimedBound(report, 'add', claim)).toBe(1);
    expect(claimedBound(report, 'relu')).toBe(1);
  });

  test('takes the largest operands of the neighbourhood that a tile mixes', () => {
    const build = new GraphBuilder('conv');
    const x = build.input('x', { shape: [1, 5, 5, 1], dtype: 'f32' });
    const filter = build.input('filter', { shape: [3, 3, 1, 1], dtype: 'f32' });
    const attrs = { window: window2d(1, noPadding), bias: false, residual: false, activation: 'none' } as const;
    build.output('y', build.op('conv2d', [x, filter], attrs));
    const graph = build.build();
    const [op] = graph.ops;
    if (op === undefined) throw new Error('the graph has an op');
    const peak = new Float64Array(25);
    peak[0] = 7;
    const taps = Float64Array.of(0, 0, 0, 0, -2, 0, 0, 0, 0);
    const { operands, factor } = spreadOperands(graph, op, [peak, taps], { factor: 4, spread: 1 });
    const rows = [0, 1, 2, 3, 4].map((row) => [...(operands[0]?.subarray(5 * row, 5 * row + 5) ?? [])]);
    expect(factor).toBe(4);
    expect(rows).toEqual([
      [7, 7, 0, 0, 0],
      [7, 7, 0, 0, 0],
      [0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0],
    ]);
    expect([...(operands[1] ?? [])]).toEqual(Array.from({ length: 9 }, () => 2));
  });
});
