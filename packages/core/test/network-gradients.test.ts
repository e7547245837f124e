import { describe, expect, test } from 'vitest';
import { GraphBuilder, window2d, type ValueId } from '../src/index.ts';
import { checkGradients } from '../src/reference/index.ts';
import { residualBlock } from './support/residual-block.ts';
import { randomTensor } from './support/tensor-data.ts';
import { weightedSum } from './support/weighted-sum.ts';

type Use = (build: GraphBuilder, x: ValueId, filter: ValueId) => ValueId;

const conv = (build: GraphBuilder, x: ValueId, filter: ValueId, residual?: ValueId): ValueId =>
  build.op('conv2d', residual === undefined ? [x, filter] : [x, filter, residual], {
    window: window2d(1, { top: 1, bottom: 1, left: 1, right: 1 }),
    bias: false,
    residual: residual !== undefined,
    activation: 'none',
  });

const uses: readonly (readonly [title: string, use: Use])[] = [
  ['x·x', (build, x) => build.op('multiply', [x, x], {})],
  ['x + x', (build, x) => build.op('add', [x, x], {})],
  ['x and a view of x', (build, x) => build.op('multiply', [build.op('reshape', [x], { shape: [2, 3, 3, 2] }), x], {})],
  ['a shortcut: conv(x) + x', (build, x, filter) => build.op('add', [conv(build, x, filter), x], {})],
  ['a fused shortcut', (build, x, filter) => conv(build, x, filter, x)],
  ['a filter used by two convolutions', (build, x, filter) => conv(build, conv(build, x, filter), filter)],
  [
    'three paths that join',
    (build, x, filter) => {
      const y = build.op('sigmoid', [conv(build, x, filter)], {});
      const gated = build.op('multiply', [y, build.op('relu', [x], {})], {});
      const rest = build.op('multiply', [build.op('affine', [y], { scale: -1, offset: 1 }), x], {});
      return build.op('add', [gated, rest], {});
    },
  ],
];

describe('values used more than once', () => {
  test.each(uses)('%s', async (_title, use) => {
    const build = new GraphBuilder('uses');
    const x = build.input('x', { shape: [2, 3, 3, 2], dtype: 'f32' });
    const filter = build.input('filter', { shape: [3, 3, 2, 2], dtype: 'f32' });
    const y = use(build, x, filter);
    const { loss, data } = weightedSum(build, y);
    const graph = build.build();
    const wrt = graph.ops.some((op) => op.inputs.includes(filter)) ? [x, filter] : [x];
    const operands = { x: randomTensor([2, 3, 3, 2], 'x').data, filter: randomTensor([3, 3, 2, 2], 'filter').data };
    const check = await checkGradients(graph, loss, wrt, { ...operands, ...data });
    expect(check).toEqual({ checked: wrt.length * 36, mismatches: [], kinks: [] });
  });
});

describe.each(['training', 'inference'] as const)('a residual block, %s', (mode) => {
  test('has the gradients of finite differences', async () => {
    const { graph, loss, parameters, data } = residualBlock(mode);
    const check = await checkGradients(graph, loss, parameters, data);
    expect(check.mismatches).toEqual([]);
    expect(check.kinks).toEqual([]);
    expect(check.checked).toBeGreaterThan(60);
  });
});
