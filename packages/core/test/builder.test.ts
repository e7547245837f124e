import { describe, expect, test } from 'vitest';
import { GraphBuilder, GraphError, ShapeError, window2d } from '../src/index.ts';
import { messageOf } from './support/error-message.ts';

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;
const plain = { window: window2d(1), bias: false, residual: false, activation: 'none' } as const;

describe('GraphBuilder', () => {
  test('yields values by id and ops in order, with labels from the scopes', () => {
    const build = new GraphBuilder('tiny');
    const x = build.input('x', f32(2, 3));
    const y = build.scope('stage1', () => build.scope('block0', () => build.op('relu', [x], {}, 'act')));
    const z = build.op('affine', [y], { scale: 2, offset: 0 });
    build.output('z', z);
    expect(build.spec(y)).toEqual(f32(2, 3));
    expect(build.build()).toEqual({
      name: 'tiny',
      values: [
        { id: 0, name: 'x', ...f32(2, 3) },
        { id: 1, ...f32(2, 3) },
        { id: 2, name: 'z', ...f32(2, 3) },
      ],
      ops: [
        { kind: 'relu', label: 'stage1/block0/act', inputs: [0], outputs: [1], attrs: {} },
        { kind: 'affine', label: '', inputs: [1], outputs: [2], attrs: { scale: 2, offset: 0 } },
      ],
    });
  });

  test('leaves a scope even when its body throws', () => {
    const build = new GraphBuilder('scopes');
    const x = build.input('x', f32(1));
    expect(() => build.scope('broken', () => build.op('relu', [9], {}))).toThrow("graph 'scopes' has no value 9");
    build.op('relu', [x], {}, 'after');
    expect(build.build().ops[0]?.label).toBe('after');
  });

  test('goes on from a graph without changing it', () => {
    const first = new GraphBuilder('base');
    const x = first.input('x', f32(2));
    const graph = first.build();
    const second = new GraphBuilder('more', graph);
    second.output('y', second.op('relu', [x], {}));
    expect(second.build().values).toHaveLength(2);
    expect(graph.values).toHaveLength(1);
    expect(messageOf(GraphError, () => second.input('x', f32(1)))).toBe(
      "graph 'more': two values are named 'x'; names must be unique",
    );
  });
});

function builder() {
  const build = new GraphBuilder('names');
  const x = build.input('x', f32(2));
  return { build, x, y: build.op('relu', [x], {}) };
}

describe('names', () => {
  test('are unique among inputs and outputs', () => {
    const { build, y } = builder();
    const expected = "graph 'names': two values are named 'x'; names must be unique";
    expect(messageOf(GraphError, () => build.input('x', f32(3)))).toBe(expected);
    expect(messageOf(GraphError, () => build.output('x', y))).toBe(expected);
  });

  test('are given to a value once', () => {
    const { build, x, y } = builder();
    build.output('y', y);
    expect(messageOf(GraphError, () => build.output('again', y))).toBe("output 'again': value 1 is already named 'y'");
    expect(messageOf(GraphError, () => build.output('copy', x))).toBe("output 'copy': value 0 is already named 'x'");
  });

  test('are not empty', () => {
    const { build } = builder();
    expect(messageOf(GraphError, () => build.input('', f32(1)))).toBe("graph 'names': a name may not be empty");
  });

  test('of unknown values are refused', () => {
    const { build } = builder();
    expect(messageOf(GraphError, () => build.output('z', 9))).toBe("graph 'names' has no value 9");
    expect(messageOf(GraphError, () => build.op('relu', [9], {}))).toBe("graph 'names' has no value 9");
    expect(messageOf(GraphError, () => build.spec(9))).toBe("graph 'names' has no value 9");
  });
});

describe('shapes', () => {
  test.each([0, -1, 1.5, Number.NaN])('sizes of %s are refused', (size) => {
    const build = new GraphBuilder('sizes');
    expect(messageOf(ShapeError, () => build.input('x', f32(2, size)))).toBe(
      `sizes must be positive integers, but input 'x' is f32[2,${size}]`,
    );
  });

  test('a wrong number of operands names those that belong there', () => {
    const build = new GraphBuilder('operands');
    const x = build.input('x', f32(1, 4, 4, 2));
    const filter = build.input('filter', f32(3, 3, 2, 5));
    const attrs = { ...plain, bias: true };
    expect(messageOf(ShapeError, () => build.op('conv2d', [x, filter], attrs, 'stem/conv'))).toBe(
      "conv2d 'stem/conv' takes 3 operands (x, filter, bias), but got 2",
    );
    expect(messageOf(ShapeError, () => build.op('relu', [x, x], {}))).toBe('relu takes 1 operands (x), but got 2');
  });

  test('wrong channels are told as the design says, with the values as fields', () => {
    const build = new GraphBuilder('channels');
    const x = build.input('x', f32(32, 28, 28, 32));
    const filter = build.input('filter', f32(3, 3, 64, 128));
    let thrown: unknown;
    try {
      build.scope('stage2/block1', () => build.op('conv2d', [x, filter], plain, 'conv1'));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ShapeError);
    expect(thrown).toMatchObject({
      name: 'ShapeError',
      code: 'SHAPE',
      message: "conv2d 'stage2/block1/conv1': filter [3,3,64,128] expects 64 input channels, but x is [32,28,28,32].",
      details: { kind: 'conv2d', label: 'stage2/block1/conv1', inputs: ['f32[32,28,28,32]', 'f32[3,3,64,128]'] },
    });
  });
});
