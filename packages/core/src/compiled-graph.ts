import type { CompileOptions, Recomputation } from './backend.ts';
import { fuse } from './fuse.ts';
import type { Graph } from './graph.ts';

/** What a backend makes a program of. */
export interface CompiledGraph {
  readonly graph: Graph;
  readonly recomputation: Recomputation | null;
}

/**
 * The graph of a program: fused, and within `arenaLimitBytes` when that is given.
 * @param bytesOf  what the backend takes for the values between the ops of a graph
 * @throws {OutOfMemoryError} when the limit cannot be kept, which says the least that is possible
 */
export async function compiledGraph(
  original: Graph,
  { fuse: fused = true, arenaLimitBytes }: CompileOptions,
  bytesOf: (graph: Graph) => number,
): Promise<CompiledGraph> {
  const whole = fused ? fuse(original) : original;
  if (arenaLimitBytes === undefined) return { graph: whole, recomputation: null };
  // Few programs have a limit, and a page need not load what they need.
  const { rematerialize } = await import('./rematerialize.ts');
  const { graph, recomputedOps, recomputedShare, wholeBytes } = rematerialize(whole, {
    limitBytes: arenaLimitBytes,
    bytesOf,
  });
  return { graph, recomputation: { ops: recomputedOps, share: recomputedShare, wholeBytes } };
}
