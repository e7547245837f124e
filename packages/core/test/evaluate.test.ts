import { expect, test, vi } from 'vitest';
import { BindingError, evaluate, GraphBuilder } from '../src/index.ts';
import { createReferenceBackend } from '../src/reference/index.ts';

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;

function counter() {
  const build = new GraphBuilder('counter');
  const x = build.input('x', f32(2));
  const total = build.input('total', f32());
  build.output('y', build.op('affine', [x], { scale: 2, offset: 1 }));
  build.op('assignAdd', [total, build.op('reduceSum', [x], {})], {});
  return build.build();
}

test('evaluate returns results and state', async () => {
  const inputs = { x: Float32Array.of(1, 2), total: Float32Array.of(10) };
  const results = await evaluate(createReferenceBackend(), counter(), inputs);
  expect(results).toEqual({ x: Float32Array.of(1, 2), total: Float32Array.of(13), y: Float32Array.of(3, 5) });
  expect(inputs.total, 'the data of the caller stays as it is').toEqual(Float32Array.of(10));
});

test('evaluate takes an input without data as zeros', async () => {
  const results = await evaluate(createReferenceBackend(), counter(), { x: Float32Array.of(1, 2) });
  expect(results['total']).toEqual(Float32Array.of(3));
});

test('evaluate refuses data for a name that is no input', async () => {
  const run = evaluate(createReferenceBackend(), counter(), { X: Float32Array.of(1, 2), y: Float32Array.of(0, 0) });
  await expect(run).rejects.toThrow(BindingError);
  await expect(run).rejects.toThrow("evaluate: graph 'counter' has no input named 'X', 'y'.");
});

test('evaluate frees what it made, also when compile fails', async () => {
  const backend = createReferenceBackend();
  const made = vi.spyOn(backend, 'tensor');
  vi.spyOn(backend, 'compile').mockRejectedValue(new RangeError('no'));
  await expect(evaluate(backend, counter(), {})).rejects.toThrow('no');
  expect(made.mock.results).toHaveLength(3);
  for (const { value } of made.mock.results) await expect(value.read()).rejects.toThrow('has been disposed');
});
