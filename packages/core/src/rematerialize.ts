import { OutOfMemoryError } from './errors.ts';
import type { Graph } from './graph.ts';
import { lifetimes } from './lifetimes.ts';
import { planMemory } from './plan-memory.ts';
import { cutsBefore, flopsOf, recomputation, type Cut, type Recomputed } from './recompute.ts';
import { validateGraph } from './validate.ts';

export interface RematerializeOptions {
  /** What the values between ops may take at most, in bytes. */
  readonly limitBytes: number;
  /** What a backend takes for them (default: the arena of `planMemory`, aligned to 64). */
  readonly bytesOf?: (graph: Graph) => number;
}

/** A graph that fits, and what it costs. */
export interface Rematerialized {
  readonly graph: Graph;
  readonly bytes: number;
  /** What it takes without recomputation. */
  readonly wholeBytes: number;
  readonly recomputedOps: number;
  /** Arithmetic that is done twice, as a share of the arithmetic of the graph. */
  readonly recomputedShare: number;
}

/** Numbers of segments that are tried: each needs more checkpoints, and less for the segment that is being recomputed. */
const segmentCounts = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128];

/** Attempts to get below the limit with what a backend needs beyond the values themselves; each steps down further than the last. */
const attempts = 8;

/**
 * Rewrites a training graph so that the values between its ops fit in a limit: activations of the first segments of the forward pass
 * are dropped, and recomputed in the backward pass from the value at the segment's start. The same ops on the same operands
 * give the same bits. Of all divisions that fit, that with the least recomputation is taken.
 *
 * It works on fused graphs: fusing afterwards could give other ops, and so other bits.
 *
 * @throws {OutOfMemoryError} that says the least that is possible
 * @source Chen et al. 2016, Training deep nets with sublinear memory cost
 */
export function rematerialize(
  graph: Graph,
  { limitBytes, bytesOf = arenaBytes }: RematerializeOptions,
): Rematerialized {
  const wholeBytes = bytesOf(graph);
  if (wholeBytes <= limitBytes) return { graph, bytes: wholeBytes, wholeBytes, recomputedOps: 0, recomputedShare: 0 };
  const search = new Search(graph);
  const sized = (recomputed: Recomputed): Sized => ({ recomputed, bytes: bytesOf(recomputed.graph) });
  let target = limitBytes;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const cheapest = search.cheapest(target);
    if (cheapest === null) break;
    const found = sized(cheapest.recomputed);
    if (found.bytes <= limitBytes) return rewritten(graph, found, wholeBytes);
    // The plan has gaps, and kernels have workspaces: as much less for the values, and less than this division has.
    target = Math.min(target - (found.bytes - limitBytes) * 1.05 * 2 ** attempt, cheapest.bytes - 1);
  }
  const [least] = search
    .smallest()
    .map(sized)
    .toSorted((x, y) => x.bytes - y.bytes);
  if (least !== undefined && least.bytes <= limitBytes) return rewritten(graph, least, wholeBytes);
  const smallestBytes = Math.min(wholeBytes, least?.bytes ?? wholeBytes);
  throw new OutOfMemoryError(
    `'${graph.name}' cannot be had in ${megabytes(limitBytes)} for the values between its ops, however much is recomputed: it needs ` +
      `${megabytes(smallestBytes)} at least (${megabytes(wholeBytes)} without recomputation); allow more memory, or take a smaller batch.`,
    { limitBytes, smallestBytes, wholeBytes },
  );
}

interface Sized {
  readonly recomputed: Recomputed;
  readonly bytes: number;
}

function rewritten(graph: Graph, { recomputed, bytes }: Sized, wholeBytes: number): Rematerialized {
  validateGraph(recomputed.graph);
  const recomputedShare = recomputed.flops / flopsOf(graph);
  return { graph: recomputed.graph, bytes, wholeBytes, recomputedOps: recomputed.ops, recomputedShare };
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** The arena of `planMemory`. */
export const arenaBytes = (graph: Graph): number => planMemory(graph, { alignment: 64 }).arenaBytes;

/** Divisions of a graph, by how much their values take. */
class Search {
  readonly #recompute: (cuts: readonly Cut[]) => Recomputed;
  readonly #turn: number;
  readonly #cuts: readonly Cut[];
  /** By op before the turn: bytes that wait for the backward pass. */
  readonly #left: readonly number[];
  readonly #known = new Map<string, Sized>();

  constructor(graph: Graph) {
    this.#turn = livingBytes(graph).peakOp;
    this.#recompute = recomputation(graph, this.#turn);
    this.#cuts = cutsBefore(graph, this.#turn);
    this.#left = bytesLeft(graph, this.#turn);
  }

  /** The division with the least recomputation whose values fit at every op; null where none does. */
  cheapest(limitBytes: number): Sized | null {
    let best: Sized | null = null;
    for (const count of segmentCounts) {
      const cuts = this.#segments(count);
      const fits = (segments: number): boolean => this.#of(cuts, segments).bytes <= limitBytes;
      if (cuts.length === 0 || !fits(cuts.length)) continue;
      // With more segments recomputed, less is kept.
      let [low, high] = [0, cuts.length];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (fits(middle)) high = middle;
        else low = middle;
      }
      const found = this.#of(cuts, high);
      if (best === null || found.recomputed.flops < best.recomputed.flops) best = found;
    }
    return best;
  }

  /** Of all divisions, those few whose values take the least. */
  smallest(): readonly Recomputed[] {
    const all = segmentCounts.flatMap((count) => {
      const cuts = this.#segments(count);
      return cuts.length === 0 ? [] : [this.#of(cuts, cuts.length)];
    });
    return all
      .toSorted((a, b) => a.bytes - b.bytes)
      .slice(0, 3)
      .map(({ recomputed }) => recomputed);
  }

  #of(cuts: readonly Cut[], segments: number): Sized {
    const chosen = cuts.slice(0, segments);
    const key = chosen.map(({ op }) => op).join();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const recomputed = this.#recompute(chosen);
    const made = { recomputed, bytes: livingBytes(recomputed.graph).peak };
    this.#known.set(key, made);
    return made;
  }

  /** The ends of all but the last of `count` segments that leave about as many bytes each. */
  #segments(count: number): readonly Cut[] {
    const cuts = this.#cuts;
    if (cuts.length < count - 1) return [];
    const left = this.#left;
    const total = left[this.#turn] ?? 0;
    const chosen = new Map<number, Cut>();
    for (let i = 1; i < count; i++) {
      const wanted = (total * i) / count;
      const cut = cuts.reduce((a, b) => (distance(left, b, wanted) < distance(left, a, wanted) ? b : a));
      chosen.set(cut.op, cut);
    }
    return [...chosen.values()].toSorted((a, b) => a.op - b.op);
  }
}

const distance = (left: readonly number[], { op }: Cut, wanted: number): number => Math.abs((left[op] ?? 0) - wanted);

/** By op before `turn`: the bytes that the ops in front of it leave for those from `turn` on. */
function bytesLeft(graph: Graph, turn: number): readonly number[] {
  const left = Array.from({ length: turn + 1 }, () => 0);
  for (const { bytes, firstOp, lastOp } of lifetimes(graph, true).own.values()) {
    if (firstOp < turn && lastOp >= turn) left[firstOp + 1] = (left[firstOp + 1] ?? 0) + bytes;
  }
  for (let at = 1; at <= turn; at++) left[at] = (left[at] ?? 0) + (left[at - 1] ?? 0);
  return left;
}

/** The most that lives at an op, and the first op at which it does. */
function livingBytes(graph: Graph): { readonly peak: number; readonly peakOp: number } {
  const change = new Float64Array(graph.ops.length + 1);
  for (const { bytes, firstOp, lastOp } of lifetimes(graph, true).own.values()) {
    change[firstOp] = (change[firstOp] ?? 0) + bytes;
    change[lastOp + 1] = (change[lastOp + 1] ?? 0) - bytes;
  }
  let [living, peak, peakOp] = [0, 0, 0];
  for (let at = 0; at < graph.ops.length; at++) {
    living += change[at] ?? 0;
    if (living > peak) [peak, peakOp] = [living, at];
  }
  return { peak, peakOp };
}
