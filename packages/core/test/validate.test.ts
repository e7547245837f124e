import { describe, expect, test } from 'vitest';
import { GraphBuilder, GraphError, validateGraph, type Graph, type Op, type Value } from '../src/index.ts';
import { messageOf } from './support/error-message.ts';

const value = (id: number, name?: string): Value => ({
  id,
  shape: [2],
  dtype: 'f32',
  ...(name === undefined ? {} : { name }),
});
const relu = (input: number, output: number): Op => ({
  kind: 'relu',
  label: 'act',
  inputs: [input],
  outputs: [output],
  attrs: {},
});
const update = (accumulator: number, x: number, output: number): Op => ({
  kind: 'assignAdd',
  label: '',
  inputs: [accumulator, x],
  outputs: [output],
  attrs: {},
});
const view = (input: number, output: number): Op => ({
  kind: 'reshape',
  label: '',
  inputs: [input],
  outputs: [output],
  attrs: { shape: [2] },
});
const graph = (values: readonly Value[], ...ops: Op[]): Graph => ({ name: 'g', values, ops });
const complaint = (broken: Graph): string => messageOf(GraphError, () => validateGraph(broken));

describe('validateGraph accepts', () => {
  test('ops in order, updates after the last read, unread and named results', () => {
    const values = [value(0, 'x'), value(1), value(2, 'sum'), value(3), value(4, 'y'), value(5)];
    const ops = [relu(0, 1), relu(2, 4), update(2, 1, 3), view(3, 5)];
    expect(complaint(graph(values, ...ops))).toBe('nothing was thrown');
  });

  test('a reader of the updated value, which is the new state', () => {
    const values = [value(0, 'x'), value(1, 'state'), value(2), value(3, 'after')];
    expect(complaint(graph(values, update(1, 0, 2), relu(2, 3)))).toBe('nothing was thrown');
  });
});

describe('validateGraph refuses', () => {
  test('values that the graph does not have', () => {
    expect(complaint(graph([value(0, 'x')], relu(7, 0), relu(0, 1)))).toBe(
      "graph 'g': relu 'act' (op 0) mentions value 7, which the graph does not have; " +
        "relu 'act' (op 1) mentions value 1, which the graph does not have",
    );
  });

  test('a value that is computed twice', () => {
    expect(complaint(graph([value(0, 'x'), value(1)], relu(0, 1), relu(0, 1)))).toBe(
      "graph 'g': value 1 is computed twice",
    );
  });

  test('a value at another place than its id', () => {
    expect(complaint(graph([value(1, 'x')]))).toBe("graph 'g': value 1 is not at its place");
  });

  test('a value that is neither computed nor named', () => {
    expect(complaint(graph([value(0)]))).toBe("graph 'g': value 0 is neither computed nor named");
  });

  test('a read before the value is computed, and an op that reads itself', () => {
    const values = [value(0, 'x'), value(1), value(2)];
    expect(complaint(graph(values, relu(1, 2), relu(0, 1)))).toBe(
      "graph 'g': relu 'act' (op 0) reads value 1 before it is computed",
    );
    expect(complaint(graph([value(0)], relu(0, 0)))).toBe(
      "graph 'g': relu 'act' (op 0) reads value 0 before it is computed",
    );
  });

  test('a read of the old state after an update, and a second update', () => {
    const values = [value(0, 'x'), value(1, 'state'), value(2), value(3)];
    expect(complaint(graph(values, update(1, 0, 2), relu(1, 3)))).toBe(
      "graph 'g': relu 'act' (op 1) reads 'state' after assignAdd (op 0) has updated it",
    );
    expect(complaint(graph(values, update(1, 0, 2), update(1, 0, 3)))).toBe(
      "graph 'g': assignAdd (op 1) reads 'state' after assignAdd (op 0) has updated it",
    );
  });

  test('a read through a view after an update of what it shows', () => {
    const values = [value(0, 'x'), value(1, 'state'), value(2), value(3), value(4)];
    expect(complaint(graph(values, view(1, 2), update(1, 0, 3), relu(2, 4)))).toBe(
      "graph 'g': relu 'act' (op 2) reads a view of 'state' after assignAdd (op 1) has updated it",
    );
  });

  test('an update of what is computed', () => {
    const values = [value(0, 'x'), value(1), value(2)];
    expect(complaint(graph(values, relu(0, 1), update(1, 0, 2)))).toBe(
      "graph 'g': assignAdd (op 1) updates value 1, which is computed; only bound tensors can be updated",
    );
  });

  test('an update of what another operand shows', () => {
    const expected = "updates 'state' and reads it as another operand too; read a copy";
    expect(complaint(graph([value(0, 'state'), value(1)], update(0, 0, 1)))).toBe(
      `graph 'g': assignAdd (op 0) ${expected}`,
    );
    const values = [value(0, 'state'), value(1), value(2)];
    expect(complaint(graph(values, view(0, 1), update(0, 1, 2)))).toBe(`graph 'g': assignAdd (op 1) ${expected}`);
  });

  test('names of views and of updates', () => {
    expect(complaint(graph([value(0, 'x'), value(1, 'flat')], view(0, 1)))).toBe(
      "graph 'g': reshape (op 0): 'flat' names a view; name the value behind it",
    );
    expect(complaint(graph([value(0, 'x'), value(1, 'state'), value(2, 'new')], update(1, 0, 2)))).toBe(
      "graph 'g': assignAdd (op 0): 'new' names an update; name the value behind it",
    );
  });

  test('all of it together, in one error', () => {
    const broken = graph([value(0), value(1)], relu(0, 1), relu(0, 1));
    expect(complaint(broken)).toBe("graph 'g': value 1 is computed twice; value 0 is neither computed nor named");
  });
});

test('build() validates', () => {
  const build = new GraphBuilder('g');
  const state = build.input('state', { shape: [2], dtype: 'f32' });
  const x = build.input('x', { shape: [2], dtype: 'f32' });
  build.op('assignAdd', [state, x], {}, 'first');
  build.op('relu', [state], {}, 'late');
  expect(messageOf(GraphError, () => build.build())).toBe(
    "graph 'g': relu 'late' (op 1) reads 'state' after assignAdd 'first' (op 0) has updated it",
  );
});
