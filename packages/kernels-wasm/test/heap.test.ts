import { OutOfMemoryError } from '@skiplane/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap } from '../src/heap.ts';

describe('Heap', () => {
  it('never gives out overlapping or unaligned ranges, and takes back what is released', () => {
    const commands = fc.array(fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.constant('release' as const)), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(commands, (steps) => {
        const heap = new Heap(false, 2 ** 26);
        const taken: { start: number; end: number }[] = [];
        for (const step of steps) {
          if (step === 'release') {
            const range = taken.shift();
            if (range !== undefined) heap.release(range.start);
            continue;
          }
          const start = heap.allocate(step, 'test');
          const end = start + step;
          expect(start % 64).toBe(0);
          expect(end).toBeLessThanOrEqual(heap.memory.buffer.byteLength);
          expect(taken.every((other) => end <= other.start || start >= other.end)).toBe(true);
          taken.push({ start, end });
        }
        taken.forEach(({ start }) => heap.release(start));
        expect(heap.usedBytes).toBe(0);
      }),
    );
  });

  it('reuses memory: a thousand rounds do not grow it', () => {
    const heap = new Heap(false, 2 ** 26);
    const round = (): void => {
      const offsets = [5000, 70_000, 12, 300_000].map((bytes) => heap.allocate(bytes, 'test'));
      offsets.toReversed().forEach((offset) => heap.release(offset));
    };
    round();
    const before = heap.memory.buffer.byteLength;
    for (let i = 0; i < 1000; i++) round();
    expect(heap.memory.buffer.byteLength).toBe(before);
  });

  it('names what did not fit, its size and the limit', () => {
    const heap = new Heap(false, 2 ** 20);
    expect(() => heap.allocate(2 ** 21, 'the arena')).toThrow(OutOfMemoryError);
    expect(() => heap.allocate(2 ** 21, 'the arena')).toThrow(
      'the arena needs 2.1 MB, but the limit of the wasm memory is 1.0 MB',
    );
  });
});
