import { expect, it } from 'vitest';
import { Heap } from '../src/heap.ts';
import { SharedArena } from '../src/shared-arena.ts';

it('is one block for all programs that fit, and is freed with the last of them', () => {
  const heap = new Heap(false, 2 ** 24);
  const arena = new SharedArena(heap);
  const small = arena.take(1000, 'small');
  const large = arena.take(5000, 'large');
  expect([arena.take(5000, 'same'), arena.take(10, 'tiny')]).toEqual([large, large]);
  expect(small).not.toBe(large);
  arena.giveBack(small);
  expect(heap.usedBytes).toBe(Math.ceil(5000 / 64) * 64);
  for (let user = 0; user < 3; user++) arena.giveBack(large);
  expect(heap.usedBytes).toBe(0);
  arena.giveBack(arena.take(10, 'anew'));
  expect(heap.usedBytes).toBe(0);
});
