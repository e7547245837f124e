import { byteLength, type Graph } from '@skiplane/core';
import { allValues, planPart, scratchBytesOf } from './plan-part.ts';
import { splitGraph } from './parts.ts';
import { oneByOne } from './schedule.ts';
import type { Engine } from './program.ts';

/** What the values between the ops of a graph take here under a limit, with the workspaces and the scratch of its kernels. */
export function arenaBytesOf(
  { threads, lowerOptions }: Pick<Engine, 'threads' | 'lowerOptions'>,
  graph: Graph,
): number {
  const { parts, shared } = splitGraph(graph, threads);
  const planned = parts.map((part) => planPart(part, lowerOptions, false, allValues(graph), oneByOne));
  const arenas = planned.map(({ plan, chunks }) => plan.arenaBytes * (chunks === null ? 1 : threads));
  const bytes = [...arenas, ...shared.map(byteLength)].reduce((sum, some) => sum + some, 0);
  return bytes + threads * scratchBytesOf(planned);
}
