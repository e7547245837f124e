import { ValueError } from '@skiplane/core';

const rules = { 6: 'depth should be 6n+2 (eg 20, 32, 44 in [a])', 9: 'depth should be 9n+2 (eg 56 or 110 in [b])' };

/**
 * The n of depth = 6n+2 (basic blocks) or 9n+2 (bottlenecks): blocks in each of three stages.
 *
 * @param family  what the error calls the net
 * @param layers  with weights that one block a stage adds
 * @throws {ValueError} with the example's guard text when the depth has no such n
 */
export function blocksPerStage(family: string, depth: number, layers: 6 | 9): number {
  const n = (depth - 2) / layers;
  if (Number.isInteger(n) && n >= 1) return n;
  const below = 2 + layers * Math.floor(n);
  const near = [below, below + layers].filter((candidate) => candidate > 2).join(' or ');
  throw new ValueError(
    `depth ${depth} of a ${family} net: ${rules[layers]}, n being 1 or more; the nearest is ${near}.`,
    { family, depth },
  );
}
