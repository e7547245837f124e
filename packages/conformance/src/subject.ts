import type { Backend, OpKind, ProgramReport } from '@skiplane/core';
import type { KernelBound } from './bound/spread.ts';
import type { Tally } from './tally.ts';

/** One configuration of a backend, such as a number of threads; all of a subject must compute the same bits. */
export interface Variant {
  readonly name: string;
  readonly backend: Backend;
}

/** What is under test: the open backends, what they claim of their kernels, and the results so far. */
export interface Subject {
  readonly name: string;
  readonly variants: readonly Variant[];
  readonly boundFactor: (kernel: string) => KernelBound;
  readonly tally: Tally;
}

/** The largest claim among the kernels that a program uses for a kind of op. */
export function claimedBound(subject: Subject, report: ProgramReport, kind: OpKind): KernelBound {
  const claims = report.ops
    .filter((op) => op.kind === kind)
    .flatMap((op) => op.kernels.map((kernel) => subject.boundFactor(kernel)));
  const spread = claims.filter((claim) => typeof claim !== 'number').map((claim) => claim.spread);
  const factor = Math.max(1, ...claims.map((claim) => (typeof claim === 'number' ? claim : claim.factor)));
  return spread.length === 0 ? factor : { factor, spread: Math.max(...spread) };
}

export function kernelsOf(report: ProgramReport): string {
  return report.ops.map(({ kind, kernels }) => `${kind}: ${kernels.join(' + ') || 'none'}`).join('; ');
}
