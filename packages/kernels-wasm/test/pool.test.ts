import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Heap } from '../src/heap.ts';
import { loadModule } from '../src/module.ts';
import { Pool } from '../src/pool.ts';

/** A program of one record; see assembly/program.ts. */
function program(heap: Heap, opcode: number, threads: number): number {
  const code = heap.allocate(64 + 128, 'code');
  const barrier = heap.allocate(192, 'barrier');
  heap.i32(code, 16).set([code + 64, 1, 64, code + 128, code, 0, barrier, threads]);
  heap.i32(code + 64, 32).set([opcode, 1, 1, 1, 1, 1]);
  return code;
}

describe('Pool', () => {
  const threads = 2;
  let heap: Heap;
  let pool: Pool;

  beforeAll(async () => {
    heap = new Heap(true, 2 ** 24);
    pool = await Pool.start(threads, await loadModule('simd', true), heap.memory, heap.allocate(64, 'control'));
  });
  afterAll(() => pool.dispose());

  it('turns a trap in a kernel into an error, and stays failed instead of hanging', async () => {
    const broken = program(heap, 999, threads);
    await expect(pool.run(broken, 1)).rejects.toThrow(/a wasm kernel failed: .*table index is out of bounds/su);
    await expect(pool.run(broken, 1)).rejects.toThrow('a wasm kernel failed');
  });

  it('ends a run that waits for threads to start when it is disposed of', async () => {
    const young = await Pool.start(threads, await loadModule('simd', true), heap.memory, heap.allocate(64, 'control'));
    const run = young.run(program(heap, 0, threads), 1);
    young.dispose();
    await expect(run).rejects.toThrow('has been disposed');
  });
});
