import { describe, expect, test } from 'vitest';
import { GraphBuilder, noPadding, samePadding, ShapeError, window2d } from '../src/index.ts';

type Pair = readonly [number, number];

describe('samePadding', () => {
  const table: readonly (readonly [
    title: string,
    size: Pair,
    window: Pair,
    strides: Pair,
    padding: readonly number[],
  ])[] = [
    ['3×3 at stride 1', [32, 32], [3, 3], [1, 1], [1, 1, 1, 1]],
    ['3×3 at stride 2 on an even size: bottom and right only', [32, 32], [3, 3], [2, 2], [0, 1, 0, 1]],
    ['3×3 at stride 2 on an odd size', [7, 7], [3, 3], [2, 2], [1, 1, 1, 1]],
    ['1×1 at stride 2', [32, 32], [1, 1], [2, 2], [0, 0, 0, 0]],
    ['1×1 at stride 1', [8, 8], [1, 1], [1, 1], [0, 0, 0, 0]],
    ['7×7 at stride 2 on 224', [224, 224], [7, 7], [2, 2], [2, 3, 2, 3]],
    ['2×2 at stride 1: the smaller half before', [4, 4], [2, 2], [1, 1], [0, 1, 0, 1]],
    ['stride larger than the window', [5, 5], [1, 1], [3, 3], [0, 0, 0, 0]],
    ['height and width apart', [5, 8], [3, 5], [1, 2], [1, 1, 1, 2]],
  ];
  test.each(table)('%s', (_title, size, window, strides, padding) => {
    const { top, bottom, left, right } = samePadding(size, window, strides);
    expect([top, bottom, left, right]).toEqual(padding);
  });

  test.each(table)('makes the output ceil(size/stride): %s', (_title, size, window, strides) => {
    const build = new GraphBuilder('same');
    const x = build.input('x', { shape: [1, ...size, 1], dtype: 'f32' });
    const filter = build.input('filter', { shape: [...window, 1, 1], dtype: 'f32' });
    const attrs = { bias: false, residual: false, activation: 'none' } as const;
    const y = build.op('conv2d', [x, filter], {
      window: { strides, padding: samePadding(size, window, strides) },
      ...attrs,
    });
    expect(build.spec(y).shape).toEqual([1, Math.ceil(size[0] / strides[0]), Math.ceil(size[1] / strides[1]), 1]);
  });
});

test('window2d has equal strides and no padding by default', () => {
  expect(window2d(2)).toEqual({ strides: [2, 2], padding: noPadding });
});

/** What the builder says of a pooling window over 4×4. */
function pool(window: Parameters<typeof window2d>, size: Pair = [2, 2]): string {
  const build = new GraphBuilder('pool');
  const x = build.input('x', { shape: [1, 4, 4, 1], dtype: 'f32' });
  try {
    build.op('maxPool2d', [x], { window: { size, ...window2d(...window) } }, 'pool');
  } catch (error) {
    if (error instanceof ShapeError) return error.message;
    throw error;
  }
  return 'nothing was thrown';
}

describe('a window that cannot be', () => {
  test.each([
    [pool([0]), "maxPool2d 'pool': stride 0 along height must be 1 or more."],
    [pool([1.5]), "maxPool2d 'pool': stride 1.5 along height must be 1 or more."],
    [pool([1, { ...noPadding, left: -1 }]), "maxPool2d 'pool': padding left of -1 must be 0 or more."],
    [pool([1], [5, 2]), "maxPool2d 'pool': a window of 5 does not fit a padded height of 4 (4 + 0)."],
    [
      pool([1, { ...noPadding, bottom: 2 }]),
      'maxPool2d \'pool\': padding {"top":0,"bottom":2,"left":0,"right":0} must be smaller than the window 2×2, else a window sees padding only.',
    ],
  ])('%s', (message, expected) => {
    expect(message).toBe(expected);
  });
});
