import { byteLength, type Graph } from '@skiplane/core';
import { changedValues, planPart } from './plan-part.ts';
import { splitGraph } from './parts.ts';
import type { Engine } from './program.ts';

/** What the values between the ops of a graph take here, with the workspaces of its kernels. */
export function arenaBytesOf(
  { threads, lowerOptions }: Pick<Engine, 'threads' | 'lowerOptions'>,
  graph: Graph,
): number {
  const changed = changedValues(graph);
  const { parts, shared } = splitGraph(graph, threads);
  const arenas = parts.map((part) => {
    const { plan, chunks } = planPart(part, lowerOptions, false, changed);
    return plan.arenaBytes * (chunks === null ? 1 : threads);
  });
  return [...arenas, ...shared.map(byteLength)].reduce((sum, bytes) => sum + bytes, 0);
}
