import { fuse } from '@skiplane/core';
import * as fc from 'fast-check';
import { channelsArbitrary } from '../cases/op-cases.ts';
import { checkGraph } from '../check-graph.ts';
import { checkProperty } from '../check-op.ts';
import { ConformanceError } from '../compare.ts';
import type { Settings } from '../settings.ts';
import type { Subject } from '../subject.ts';
import { Composer, type Dims } from './composer.ts';
import type { Pattern } from './patterns.ts';

/** Sizes that every pattern runs on: a layer of the networks, its odd cousin, and the smallest of all. */
export const patternDims = {
  'a layer': { batch: 2, height: 8, width: 8, inChannels: 16, outChannels: 16, kernel: 3, stride: 1 },
  'stride 2, odd': { batch: 1, height: 7, width: 5, inChannels: 3, outChannels: 10, kernel: 3, stride: 2 },
  'all ones': { batch: 1, height: 1, width: 1, inChannels: 1, outChannels: 1, kernel: 1, stride: 1 },
} as const satisfies Record<string, Dims>;

const channels = channelsArbitrary.map((count) => Math.min(count, 17));

const dimsArbitrary: fc.Arbitrary<Dims> = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  height: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 9 }),
  inChannels: channels,
  outChannels: channels,
  kernel: fc.constantFrom(3, 1, 2, 5),
  stride: fc.constantFrom(1, 2, 3),
});

/** Runs a composed graph as it is and fused, each against the oracle on the graph that then runs. */
export async function checkPattern(
  subject: Subject,
  name: string,
  pattern: Pattern,
  dims: Dims,
  seed: number,
): Promise<void> {
  const { graph, inputs } = pattern.compose(new Composer(name, seed), dims);
  const kinds = fuse(graph).ops.map((op) => op.kind);
  if (kinds.toSorted().join() !== pattern.fused.toSorted().join()) {
    throw new ConformanceError(
      `fuse makes ${kinds.join(', ')} of '${name}', but ${pattern.fused.join(', ')} is expected.`,
    );
  }
  const about = [`sizes ${JSON.stringify(dims)}, data uniform from seed ${seed}`];
  for (const fused of [false, true]) {
    await checkGraph(subject, { family: `pattern: ${name.split(':')[0]}`, graph, inputs, fuse: fused, about });
  }
}

export async function checkRandomPattern(
  subject: Subject,
  name: string,
  pattern: Pattern,
  id: string,
  settings: Settings,
): Promise<void> {
  const arbitrary = fc.record({ dims: dimsArbitrary, seed: fc.integer({ min: 1, max: 1_000_000 }) });
  // Each runs both fused and not.
  const runs = Math.ceil(settings.runs / 2);
  await checkProperty(id, { ...settings, runs }, arbitrary, ({ dims, seed }) =>
    checkPattern(subject, name, pattern, dims, seed),
  );
}
