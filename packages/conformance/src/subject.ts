import type { Backend, ProgramReport } from '@skiplane/core';
import type { KernelBound } from '@skiplane/core/reference';
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

export function kernelsOf(report: ProgramReport): string {
  return report.ops.map(({ kind, kernels }) => `${kind}: ${kernels.join(' + ') || 'none'}`).join('; ');
}
