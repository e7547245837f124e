import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Occupancy } from '../src/occupancy.ts';

interface Taken {
  readonly place: number;
  readonly size: number;
  readonly firstOp: number;
  readonly lastOp: number;
}

/** The first place that is free, looked for one by one. */
function firstFree(taken: readonly Taken[], from: number, { size, firstOp, lastOp }: Omit<Taken, 'place'>): number {
  for (let place = from; ; place++) {
    const meets = (other: Taken): boolean =>
      other.firstOp <= lastOp &&
      firstOp <= other.lastOp &&
      other.place < place + size &&
      place < other.place + other.size;
    if (!taken.some(meets)) return place;
  }
}

const ops = 21;
const request = fc
  .record({
    from: fc.integer({ min: -6, max: 6 }),
    size: fc.integer({ min: 1, max: 5 }),
    a: fc.nat(ops - 1),
    b: fc.nat(ops - 1),
  })
  .map(({ from, size, a, b }) => ({ from, size, firstOp: Math.min(a, b), lastOp: Math.max(a, b) }));

test('the first free place is the one found by looking at every place', () => {
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 40 }), (requests) => {
      const occupancy = new Occupancy(ops);
      const taken: Taken[] = [];
      for (const { from, size, firstOp, lastOp } of requests) {
        const place = occupancy.firstFree(from, size, firstOp, lastOp);
        expect(place).toBe(firstFree(taken, from, { size, firstOp, lastOp }));
        occupancy.take(place, size, firstOp, lastOp);
        taken.push({ place, size, firstOp, lastOp });
      }
    }),
  );
});
