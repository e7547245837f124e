import type { TypedArray } from '@skiplane/core';
import { resultsOf } from '@skiplane/core/reference';
import { runGraph, type Data } from '../run-graph.ts';
import type { Side } from './compare-ops.ts';
import type { Both } from './judge.ts';
import type { DiffProgram } from './programs.ts';

/** How far a tensor is from the first side's after one run of the whole program. */
export interface OutputDistance {
  readonly name: string;
  /** ‖second − first‖ and ‖first‖, in the L2 norm. */
  readonly distance: number;
  readonly size: number;
  /** Their quotient. */
  readonly relative: number;
}

/** Runs a program as it is used, fused and with its memory shared, on both sides, and compares all it leaves behind. */
export async function compareOutputs(
  sides: Both<Side>,
  { graph, inputs }: DiffProgram,
): Promise<readonly OutputDistance[]> {
  const run = async ({ backend }: Side): Promise<Data> =>
    (await runGraph(backend, graph, inputs, { fuse: true })).values;
  const [first, second] = [await run(sides[0]), await run(sides[1])];
  const nothing = new Float32Array();
  return [...resultsOf(graph).keys()].map((name) =>
    distanceOf(name, first.get(name) ?? nothing, second.get(name) ?? nothing),
  );
}

function distanceOf(name: string, first: TypedArray, second: TypedArray): OutputDistance {
  let [distance, size] = [0, 0];
  for (let i = 0; i < first.length; i++) {
    distance += ((second[i] as number) - (first[i] as number)) ** 2;
    size += (first[i] as number) ** 2;
  }
  [distance, size] = [Math.sqrt(distance), Math.sqrt(size)];
  return { name, distance, size, relative: quotient(distance, size) };
}

/** 0 where nothing differs, infinite where a number is missing. */
function quotient(distance: number, size: number): number {
  if (distance === 0) return 0;
  return Number.isNaN(distance / size) ? Number.POSITIVE_INFINITY : distance / size;
}

/** Outputs that are alike, such as all filters. */
export interface OutputGroup {
  readonly name: string;
  readonly tensors: number;
  /** The relative distance of all of them, taken as one vector. */
  readonly together: number;
  /** The one of the largest relative distance; where a tensor cancels to nothing, that says little. */
  readonly largest: OutputDistance;
}

/** Groups parameters by what they are, and optimizer state by what it holds: a network has hundreds of outputs. */
export function groupOutputs(outputs: readonly OutputDistance[]): readonly OutputGroup[] {
  const groups = new Map<string, OutputDistance[]>();
  for (const output of outputs) {
    const parts = output.name.split('/');
    const name = (parts[0] === 'optimizer' ? parts.slice(0, 2) : parts.slice(-1)).join('/');
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [output]);
    else group.push(output);
  }
  return [...groups].map(([name, group]) => ({
    name,
    tensors: group.length,
    together: quotient(Math.hypot(...group.map((one) => one.distance)), Math.hypot(...group.map((one) => one.size))),
    largest: group.reduce((largest, one) => (one.relative > largest.relative ? one : largest)),
  }));
}
