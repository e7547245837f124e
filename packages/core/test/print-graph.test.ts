import { expect, test } from 'vitest';
import { GraphBuilder, printGraph, window2d } from '../src/index.ts';

test('printGraph shows inputs, then one op a line with operands, attributes and label', () => {
  const build = new GraphBuilder('tiny');
  const x = build.input('x', { shape: [2, 4, 4, 3], dtype: 'f32' });
  build.input('labels', { shape: [2], dtype: 'i32' });
  const filter = build.input('filter', { shape: [3, 3, 3, 8], dtype: 'f32' });
  const bias = build.input('bias', { shape: [8], dtype: 'f32' });
  const total = build.input('total', { shape: [], dtype: 'f32' });
  const attrs = { window: window2d(1), bias: true, residual: false, activation: 'relu' } as const;
  const y = build.scope('stem', () => build.op('conv2d', [x, filter, bias], attrs, 'conv'));
  build.output('y', build.op('relu', [y], {}));
  build.op('assignAdd', [total, build.op('reduceSum', [y], {})], {}, 'metrics');
  expect(printGraph(build.build())).toBe(
    [
      "graph 'tiny'",
      '  x: f32[2,4,4,3]',
      '  labels: i32[2]',
      '  filter: f32[3,3,3,8]',
      '  bias: f32[8]',
      '  total: f32[]',
      '  %5: f32[2,2,2,8] = conv2d x=x filter=filter bias=bias {"window":{"strides":[1,1],"padding":{"top":0,"bottom":0,"left":0,"right":0}},"bias":true,"residual":false,"activation":"relu"}  # stem/conv',
      '  y: f32[2,2,2,8] = relu x=%5',
      '  %7: f32[] = reduceSum x=%5',
      '  %8: f32[] = assignAdd accumulator=total x=%7  # metrics',
    ].join('\n'),
  );
});

test('printGraph shows all results of an op', () => {
  const build = new GraphBuilder('norm');
  const names = ['x', 'gamma', 'beta', 'mean', 'variance'];
  const inputs = names.map((name) => build.input(name, { shape: name === 'x' ? [4, 2] : [2], dtype: 'f32' }));
  build.op('batchNormTraining', inputs, {
    epsilon: 0.001,
    momentum: 0.99,
    movingVariance: 'biased',
    residual: false,
    activation: 'none',
  });
  expect(printGraph(build.build()).split('\n').at(-1)).toBe(
    '  %5: f32[4,2], %6: f32[2], %7: f32[2], %8: f32[2], %9: f32[2] = batchNormTraining x=x gamma=gamma beta=beta movingMean=mean movingVariance=variance {"epsilon":0.001,"momentum":0.99,"movingVariance":"biased","residual":false,"activation":"none"}',
  );
});
