/**
 * What is taken of a line of places (bytes, slots) while the ops of a graph run, and the first place that is free all the time
 * that is asked for. A tree over the ops keeps, for every node, the places taken during all of its ops and those taken during any of
 * them, as ranges that touch nowhere: a question asks a few nodes at every level of the tree, however many were taken.
 */
export class Occupancy {
  readonly #leaves: number;
  /** By node, from the root, 1, on: taken from its first op to its last. */
  readonly #whole: (Ranges | undefined)[] = [];
  /** By node: taken during any of its ops. What is taken during all may lack, where a node above has it. */
  readonly #any: (Ranges | undefined)[] = [];

  /** @param ops  how many there are */
  constructor(ops: number) {
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(1, ops)));
  }

  /** The first place from `from` on where `size` places are free from `firstOp` to `lastOp`, both included. */
  firstFree(from: number, size: number, firstOp: number, lastOp: number): number {
    const asked: Ranges[] = [];
    const ask = (ranges: Ranges | undefined): void => void (ranges !== undefined && asked.push(ranges));
    for (const node of this.#cover(firstOp, lastOp)) ask(this.#any[node]);
    for (const node of this.#above(firstOp, lastOp)) ask(this.#whole[node]);
    let place = from;
    for (let agreed = 0, i = 0; agreed < asked.length; i = i + 1 < asked.length ? i + 1 : 0) {
      const next = (asked[i] as Ranges).firstFree(place, size);
      agreed = next === place ? agreed + 1 : 1;
      place = next;
    }
    return place;
  }

  /** Takes places that are free. */
  take(place: number, size: number, firstOp: number, lastOp: number): void {
    for (const node of this.#cover(firstOp, lastOp)) {
      (this.#whole[node] ??= new Ranges()).add(place, place + size);
      (this.#any[node] ??= new Ranges()).add(place, place + size);
    }
    for (const node of this.#above(firstOp, lastOp)) (this.#any[node] ??= new Ranges()).add(place, place + size);
  }

  /** The fewest nodes that have these ops and no others. */
  #cover(firstOp: number, lastOp: number): readonly number[] {
    const nodes: number[] = [];
    let [low, high] = [firstOp + this.#leaves, lastOp + this.#leaves + 1];
    for (; low < high; low >>= 1, high >>= 1) {
      if (low & 1) nodes.push(low++);
      if (high & 1) nodes.push(--high);
    }
    return nodes;
  }

  /** The nodes that have the first op or the last: among them all above those of the cover. */
  #above(firstOp: number, lastOp: number): readonly number[] {
    const nodes: number[] = [];
    let [left, right] = [firstOp + this.#leaves, lastOp + this.#leaves];
    for (; left >= 1; left >>= 1, right >>= 1) {
      nodes.push(left);
      if (right !== left) nodes.push(right);
    }
    return nodes;
  }
}

/** Ranges of places, in order, none of which touches another. */
class Ranges {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  firstFree(from: number, size: number): number {
    let place = from;
    for (let i = this.#firstBehind(place); i < this.#starts.length; i++) {
      if (place + size <= (this.#starts[i] as number)) break;
      place = this.#ends[i] as number;
    }
    return place;
  }

  add(start: number, end: number): void {
    // All that end at `start` or later and begin at `end` or before become one.
    const first = this.#firstBehind(start - 1);
    let next = first;
    while (next < this.#starts.length && (this.#starts[next] as number) <= end) next++;
    if (next === first) {
      this.#starts.splice(first, 0, start);
      this.#ends.splice(first, 0, end);
      return;
    }
    this.#starts[first] = Math.min(start, this.#starts[first] as number);
    this.#ends[first] = Math.max(end, this.#ends[next - 1] as number);
    if (next - first === 1) return;
    this.#starts.splice(first + 1, next - first - 1);
    this.#ends.splice(first + 1, next - first - 1);
  }

  /** The first range that ends behind a place. */
  #firstBehind(place: number): number {
    let [low, high] = [0, this.#ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ends[middle] as number) > place) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
