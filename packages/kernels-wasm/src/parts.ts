import {
  byteLength,
  elementCount,
  lifetimes,
  opDef,
  valueOf,
  type Graph,
  type Op,
  type OpKind,
  type Value,
  type ValueId,
} from '@skiplane/core';
import { imageOperands, storesWholeVectors } from './per-image.ts';

/** A batch in equal pieces, which threads take; the last one begins earlier where the batch does not divide. */
export interface Chunks {
  readonly count: number;
  /** Images of each. */
  readonly images: number;
  /** The first image of the last one. */
  readonly lastFirst: number;
}

/** Some ops of a graph that follow one another. */
export interface Part {
  /** The ops, and all values of the whole graph; those that other parts use too have a name. In chunks, values are as long as one. */
  readonly graph: Graph;
  /** Null: every op runs over the whole batch, and all threads meet after it. Else a thread runs all ops on a chunk before it takes the next. */
  readonly chunks: Chunks | null;
  /** Values with an image's share in each row of their first axis; none where there are no chunks. */
  readonly batched: ReadonlySet<ValueId>;
}

/** A graph in parts, and the values that several of them use: they have names, but no tensor of the caller. */
export interface SplitGraph {
  readonly parts: readonly Part[];
  readonly shared: readonly Value[];
}

/** A run of ops that treat images by themselves. */
interface Run {
  readonly ops: Op[];
  readonly batch: number;
  readonly batched: Set<ValueId>;
  /** Values that every image needs whole. */
  readonly shared: Set<ValueId>;
}

/** What a thread's chunk may take of a small L2 beside the scratch of its kernels and their filters. */
const cacheBytes = 256 * 1024;
/** Elements of an operand that a chunk reads whole, for each of its images at the least: a filter that the cache cannot keep must serve several. */
const elementsPerImage = 32 * 1024;
/** Chunks of each of several threads at the least, where images suffice: at the end one waits for the other's last one. */
const chunksPerThread = 8;

/**
 * Splits a graph where it pays: ops in a row that treat every image by itself, and whose values would not stay in a cache
 * over a whole batch, become a part in chunks of images. Results are the same bits, whatever the chunks.
 */
export function splitGraph(graph: Graph, threads: number): SplitGraph {
  const runs = (trains(graph) ? [] : imageRuns(graph)).flatMap((run) => {
    const chunks = chunksOf(graph, run, threads);
    return chunks === null ? [] : [{ ...run, chunks }];
  });
  if (runs.length === 0) return { parts: [{ graph, chunks: null, batched: new Set() }], shared: [] };
  const pieces: { ops: readonly Op[]; chunks: Chunks | null; batched: ReadonlySet<ValueId> }[] = [];
  let next = 0;
  const whole = (end: number): void => {
    if (end > next) pieces.push({ ops: graph.ops.slice(next, end), chunks: null, batched: new Set() });
  };
  for (const run of runs) {
    const start = graph.ops.indexOf(run.ops[0] as Op);
    whole(start);
    pieces.push(run);
    next = start + run.ops.length;
  }
  whole(graph.ops.length);
  const { values, shared } = nameShared(
    graph,
    pieces.map(({ ops }) => ops),
  );
  const parts = pieces.map(({ ops, chunks, batched }): Part => {
    const inChunk = (value: Value): Value =>
      chunks !== null && batched.has(value.id) ? { ...value, shape: [chunks.images, ...value.shape.slice(1)] } : value;
    return { graph: { name: graph.name, values: values.map(inChunk), ops }, chunks, batched };
  });
  return { parts, shared };
}

/**
 * Whether a graph changes parameters, as a training step does, and not only sums of metrics: its backward pass reads nearly all values
 * once more, so that they leave the cache anyway, and those that parts share would have memory of their own to the end.
 */
export function trains(graph: Graph): boolean {
  const changes = ({ kind, inputs }: Op): boolean =>
    (opDef<OpKind>(kind).aliases ?? []).some(
      (alias) => alias.kind === 'update' && valueOf(graph, inputs[alias.input] as ValueId).shape.length > 0,
    );
  return graph.ops.some(changes);
}

/** The longest runs of ops that treat images by themselves, all of one batch. */
function imageRuns(graph: Graph): readonly Run[] {
  const runs: Run[] = [];
  let run: Run | undefined;
  for (const op of graph.ops) {
    if (run === undefined || !extend(graph, run, op)) {
      const batch = valueOf(graph, op.outputs[0] as ValueId).shape[0] ?? 0;
      run = { ops: [], batch, batched: new Set(), shared: new Set() };
      if (extend(graph, run, op)) runs.push(run);
      else run = undefined;
    }
  }
  return runs;
}

/** Adds an op to a run, if it fits. */
function extend(graph: Graph, run: Run, op: Op): boolean {
  const positions = imageOperands(op);
  if (positions === undefined) return false;
  const images = [...op.inputs.filter((_, position) => positions.includes(position)), ...op.outputs];
  const shared = op.inputs.filter((_, position) => !positions.includes(position));
  const fits = (id: ValueId): boolean => valueOf(graph, id).shape[0] === run.batch && !run.shared.has(id);
  if (!images.every(fits) || shared.some((id) => run.batched.has(id))) return false;
  if (storesWholeVectors(op) && op.outputs.some((id) => imageBytes(graph, id) % 16 !== 0)) return false;
  run.ops.push(op);
  images.forEach((id) => run.batched.add(id));
  shared.forEach((id) => run.shared.add(id));
  return true;
}

function imageBytes(graph: Graph, id: ValueId): number {
  const value = valueOf(graph, id);
  return byteLength(value) / (value.shape[0] ?? 1);
}

/** How a run is cut; null where the cache holds what stays within it, or nothing does, as between the batch norms of a training step. */
function chunksOf(graph: Graph, { ops, batch, shared }: Run, threads: number): Chunks | null {
  if (batch < 2 || withinBytes(graph, ops) <= cacheBytes) return null;
  // A block's input, what it computes, and a shortcut.
  const perImage = 3 * Math.max(...ops.flatMap(({ outputs }) => outputs.map((id) => imageBytes(graph, id))));
  const largest = Math.max(0, ...[...shared].map((id) => elementCount(valueOf(graph, id).shape)));
  const wanted = Math.max(cacheBytes / perImage, largest / elementsPerImage);
  const most = threads > 1 ? Math.min(wanted, batch / (chunksPerThread * threads)) : wanted;
  const images = chunkImages(batch, Math.max(1, Math.floor(most)), threads);
  return { count: Math.ceil(batch / images), images, lastFirst: batch - images };
}

/** Images of a chunk: up to `most`, and from half of them on as many as let all threads end soonest. */
function chunkImages(batch: number, most: number, threads: number): number {
  let [best, least] = [1, Number.POSITIVE_INFINITY];
  for (let images = Math.min(most, batch); images >= most / 2; images--) {
    const turns = Math.ceil(Math.ceil(batch / images) / threads) * images;
    if (turns < least) [best, least] = [images, turns];
  }
  return best;
}

/** Bytes of the values that only these ops use. */
function withinBytes(graph: Graph, ops: readonly Op[]): number {
  const used = new Set(graph.ops.filter((op) => !ops.includes(op)).flatMap(({ inputs }) => inputs));
  return ops
    .flatMap(({ outputs }) => outputs.map((id) => valueOf(graph, id)))
    .filter(({ id, name }) => name === undefined && !used.has(id))
    .reduce((sum, value) => sum + byteLength(value), 0);
}

/** All values of the graph, and those among them that several pieces use, be it through a view, and that have got a name for it. */
function nameShared(
  graph: Graph,
  pieces: readonly (readonly Op[])[],
): { readonly values: readonly Value[]; readonly shared: readonly Value[] } {
  const { rootOf } = lifetimes(graph, false);
  const users = new Map<ValueId, Set<number>>();
  pieces.forEach((ops, piece) => {
    for (const id of ops.flatMap(({ inputs, outputs }) => [...inputs, ...outputs])) {
      users.set(rootOf(id), (users.get(rootOf(id)) ?? new Set()).add(piece));
    }
  });
  const isShared = ({ id, name }: Value): boolean => name === undefined && (users.get(id)?.size ?? 0) > 1;
  const values = graph.values.map((value) => {
    const root = valueOf(graph, rootOf(value.id));
    const name = isShared(root) ? `value ${root.id}` : root.name;
    return name === undefined ? value : { ...value, name };
  });
  return { values, shared: values.filter(({ id }) => isShared(valueOf(graph, id))) };
}
