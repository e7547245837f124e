import { opDef, ValueError, valueOf, type Graph, type Op, type TypedArray, type ValueId } from '@skiplane/core';
import {
  boundGraph,
  compare,
  indexOf,
  kernelBound,
  largestBound,
  runOp,
  type KernelBound,
  type Verdict,
} from '@skiplane/core/reference';
import type { OpRun } from './op-runner.ts';

/** Something of either side: first of the one whose program gave the operands, then of the other. */
export type Both<T> = readonly [T, T];

/** The element of an op's results that is farthest outside of its bound. */
export interface WorstElement {
  readonly result: string;
  readonly shape: readonly number[];
  readonly index: readonly number[];
  /** Which side is outside, or farther outside. */
  readonly side: 0 | 1;
  readonly values: Both<number>;
  readonly oracle: number;
  /** How far that side may be from the oracle. */
  readonly bound: number;
  /** Elements of the result that are outside on that side, and all. */
  readonly outside: number;
  readonly elements: number;
}

/** One op on both sides, on the same operands. */
export interface OpOutcome {
  /** In the fused graph, from 1. */
  readonly position: number;
  readonly kind: Op['kind'];
  readonly label: string;
  readonly kernels: Both<readonly string[]>;
  /** Largest error of an element over its bound. */
  readonly ratios: Both<number>;
  /** Where a side is outside of its bound. */
  readonly worst: WorstElement | null;
  /** Why no bound holds. */
  readonly undecided: string | null;
}

export interface OpToJudge {
  readonly graph: Graph;
  readonly op: Op;
  readonly position: number;
  readonly operands: readonly TypedArray[];
  readonly runs: Both<OpRun>;
}

/** Compares what both sides made of an op with the float64 oracle, each within the bound of its own kernels. */
export async function judge(asked: OpToJudge): Promise<OpOutcome> {
  const { graph, op, position, runs } = asked;
  const outcome = { position, kind: op.kind, label: op.label, kernels: [runs[0].kernels, runs[1].kernels] as const };
  const operands = asked.operands.map((data) => Float64Array.from(data));
  const expected = await runOp('values', { graph, op, operands });
  const values = new Map<ValueId, Float64Array>();
  op.inputs.forEach((id, i) => values.set(id, operands[i] ?? new Float64Array()));
  op.outputs.forEach((id, i) => values.set(id, expected[i] ?? new Float64Array()));
  const boundsOf = async (claim: KernelBound): Promise<readonly Float64Array[]> => {
    const { error } = await boundGraph({ ...graph, ops: [op] }, values, { kernelBound: () => claim });
    return op.outputs.map((id) => error.get(id) ?? new Float64Array());
  };
  const claims = runs.map(({ kernels }) => largestBound(kernels.map((kernel) => kernelBound(kernel))));
  try {
    const first = await boundsOf(claims[0] ?? 1);
    const second = JSON.stringify(claims[0]) === JSON.stringify(claims[1]) ? first : await boundsOf(claims[1] ?? 1);
    return { ...outcome, undecided: null, ...compareResults(asked, expected, [first, second]) };
  } catch (error) {
    // The op compares numbers, and some of them are so small that a backend may take them for zero.
    if (error instanceof ValueError) return { ...outcome, ratios: [0, 0], worst: null, undecided: error.message };
    throw error;
  }
}

function compareResults(
  { graph, op, runs }: OpToJudge,
  expected: readonly Float64Array[],
  bounds: Both<readonly Float64Array[]>,
): Pick<OpOutcome, 'ratios' | 'worst'> {
  const ratios: [number, number] = [0, 0];
  let worst: WorstElement | null = null;
  expected.forEach((oracle, result) => {
    for (const side of [0, 1] as const) {
      const bound = bounds[side][result] ?? new Float64Array();
      const verdict = compare({ actual: runs[side].results[result] ?? [], expected: oracle, bound });
      if (verdict.ratio > 1 && verdict.ratio > Math.max(...ratios)) {
        const shape = valueOf(graph, op.outputs[result] ?? -1).shape;
        worst = worstElement(op, { result, side, shape, oracle, bound, verdict, runs });
      }
      ratios[side] = Math.max(ratios[side], verdict.ratio);
    }
  });
  return { ratios, worst };
}

interface Outside {
  readonly result: number;
  readonly side: 0 | 1;
  readonly shape: readonly number[];
  readonly oracle: Float64Array;
  readonly bound: Float64Array;
  readonly verdict: Verdict;
  readonly runs: Both<OpRun>;
}

function worstElement(op: Op, { result, side, shape, oracle, bound, verdict, runs }: Outside): WorstElement {
  const at = verdict.worst;
  const value = ({ results }: OpRun): number => results[result]?.[at] ?? Number.NaN;
  return {
    result: opDef(op.kind).results[result] ?? `result ${result}`,
    shape,
    index: indexOf(at, shape),
    side,
    values: [value(runs[0]), value(runs[1])],
    oracle: oracle[at] ?? Number.NaN,
    bound: bound[at] ?? Number.NaN,
    outside: verdict.outside,
    elements: oracle.length,
  };
}
