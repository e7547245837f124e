import type { OpKind } from '@skiplane/core';
import type { Both, OpOutcome, WorstElement } from './judge.ts';
import type { OutputDistance } from './end-to-end.ts';

/** The ops of one kind: how many, and the largest error over its bound on either side. */
interface KindSummary {
  readonly kind: OpKind;
  readonly ops: number;
  readonly ratios: Both<number>;
}

/** An op of which a side leaves its bound. */
export type Finding = OpOutcome & { readonly worst: WorstElement };

/** What the comparison of one program has found. */
export interface ProgramDiff {
  readonly name: string;
  readonly ops: number;
  readonly kinds: readonly KindSummary[];
  /** In the order of the program. */
  readonly outside: readonly Finding[];
  readonly undecided: readonly OpOutcome[];
  readonly outputs: readonly OutputDistance[];
}

export function summarize(
  name: string,
  outcomes: readonly OpOutcome[],
  outputs: readonly OutputDistance[],
): ProgramDiff {
  const kinds = new Map<OpKind, KindSummary>();
  for (const { kind, ratios } of outcomes) {
    const { ops, ratios: before } = kinds.get(kind) ?? { ops: 0, ratios: [0, 0] as const };
    kinds.set(kind, {
      kind,
      ops: ops + 1,
      ratios: [Math.max(before[0], ratios[0]), Math.max(before[1], ratios[1])],
    });
  }
  return {
    name,
    ops: outcomes.length,
    kinds: [...kinds.values()],
    outside: outcomes.flatMap((outcome) => (outcome.worst === null ? [] : [{ ...outcome, worst: outcome.worst }])),
    undecided: outcomes.filter(({ undecided }) => undecided !== null),
    outputs,
  };
}
