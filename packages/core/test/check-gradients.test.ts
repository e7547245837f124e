import { afterEach, describe, expect, test, vi } from 'vitest';
import { BindingError, GraphBuilder, GraphError, opDefs } from '../src/index.ts';
import { checkGradients } from '../src/reference/index.ts';
import { randomTensor } from './support/tensor-data.ts';

const affine = { scale: 3, offset: 1 };

/** Σ relu(x)·x over n elements. */
function reluTimesX(n: number) {
  const build = new GraphBuilder('relu');
  const x = build.input('x', { shape: [n], dtype: 'f32' });
  const loss = build.op('reduceSum', [build.op('multiply', [build.op('relu', [x], {}), x], {})], {});
  return { graph: build.build(), x, loss };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('checkGradients', () => {
  test('finds a gradient that lacks a factor, along each element', async () => {
    vi.spyOn(opDefs.affine, 'vjp').mockImplementation((_build, _op, [dy]) => [dy ?? null]);
    const build = new GraphBuilder('wrong');
    const x = build.input('x', { shape: [2], dtype: 'f32' });
    const loss = build.op('reduceSum', [build.op('affine', [x], affine)], {});
    const check = await checkGradients(build.build(), loss, [x], { x: [1, 2] });
    expect(check.kinks).toEqual([]);
    expect(check.mismatches).toEqual([
      { input: 'x', along: 'element 0', analytic: 1, numeric: expect.closeTo(3, 9) },
      { input: 'x', along: 'element 1', analytic: 1, numeric: expect.closeTo(3, 9) },
    ]);
  });

  test('finds one wrong element of a thousand along random directions', async () => {
    const { graph, x, loss } = reluTimesX(1000);
    const build = new GraphBuilder('bumped', graph);
    const error = build.input('error', { shape: [1000], dtype: 'f32' });
    vi.spyOn(opDefs.relu, 'vjp').mockImplementation((inner, { outputs: [y = -1] }, [dy]) => [
      dy == null ? null : inner.op('add', [inner.op('reluGrad', [dy, y], {}), error], {}),
    ]);
    const data = {
      x: randomTensor([1000], 'directions', 0.5, 1).data,
      error: Float64Array.from({ length: 1000 }, (_, at) => (at === 17 ? 1e-3 : 0)),
    };
    const check = await checkGradients(build.build(), loss, [x], data);
    expect(check.checked).toBe(4);
    expect(check.kinks).toEqual([]);
    expect(check.mismatches.map(({ along }) => along)).toEqual([
      'direction 0',
      'direction 1',
      'direction 2',
      'direction 3',
    ]);
  });

  test('reports a kink at the point itself', async () => {
    const build = new GraphBuilder('kink');
    const x = build.input('x', { shape: [3], dtype: 'f32' });
    const loss = build.op('reduceSum', [build.op('relu', [x], {})], {});
    const check = await checkGradients(build.build(), loss, [x], { x: [-1, 0, 1] });
    expect(check.mismatches).toEqual([]);
    expect(check.kinks).toEqual([{ input: 'x', along: 'element 1', analytic: 0, numeric: expect.closeTo(0.5, 9) }]);
  });

  test('gets out of the way of a kink nearby', async () => {
    const build = new GraphBuilder('near');
    const x = build.input('x', { shape: [3], dtype: 'f32' });
    const loss = build.op('reduceSum', [build.op('relu', [x], {})], {});
    const check = await checkGradients(build.build(), loss, [x], { x: [-3e-4, 2e-5, 7e-6] });
    expect(check).toEqual({ checked: 3, mismatches: [], kinks: [] });
  });

  test('does not mistake a wrong gradient for a kink', async () => {
    vi.spyOn(opDefs.relu, 'vjp').mockImplementation((_build, _op, [dy]) => [dy ?? null]);
    const { graph, x, loss } = reluTimesX(4);
    const check = await checkGradients(graph, loss, [x], { x: [-2, -1, 1, 2] });
    expect(check.kinks).toEqual([]);
    expect(check.mismatches.map(({ along }) => along)).toEqual(['element 0', 'element 1']);
  });

  test('names all inputs whose data does not fit', async () => {
    const { graph, x, loss } = reluTimesX(2);
    const wrongLength = checkGradients(graph, loss, [x], { x: [1] });
    await expect(wrongLength).rejects.toThrow(BindingError);
    await expect(wrongLength).rejects.toThrow("checkGradients: 'x' has 2 elements, but 1 were given.");
    await expect(checkGradients(graph, loss, [x], {})).rejects.toThrow("checkGradients: 'x' has no data.");
  });

  test('refuses to move a computed value', async () => {
    const { graph, loss } = reluTimesX(2);
    await expect(checkGradients(graph, loss, [1], { x: [1, 2] })).rejects.toThrow(GraphError);
    await expect(checkGradients(graph, loss, [1], { x: [1, 2] })).rejects.toThrow(
      "checkGradients: value 1 of graph 'relu' is no named input; only inputs can be moved.",
    );
  });
});
