import type { ProgramReport } from '../../backend.ts';
import type { OpKind } from '../../ops/attrs.ts';
import type { KernelBound } from './spread.ts';

/**
 * What a kernel claims of its error, by its name in a program's report; 1, an ordinary sum, unless it says otherwise.
 *
 * F(4×4,3×3) mixes tiles of 6×6 elements, so that its error follows the largest of them. Over random cases it comes to 1.3 times
 * that bound for a convolution, and to 4.4 times for a filter gradient, whose tiles hold few terms each.
 */
export function kernelBound(kernel: string): KernelBound {
  if (!kernel.includes('.winograd-4x4')) return 1;
  return kernel.startsWith('conv2dBackpropFilter') ? { factor: 8, spread: 5 } : { factor: 2, spread: 3 };
}

/** The largest claim among the kernels that a program uses for a kind of op. @param claim  of a kernel, by its name */
export function claimedBound(
  report: ProgramReport,
  kind: OpKind,
  claim: (kernel: string) => KernelBound = kernelBound,
): KernelBound {
  return largestBound(
    report.ops.filter((op) => op.kind === kind).flatMap((op) => op.kernels.map((kernel) => claim(kernel))),
  );
}

/** The bound of an op that several kernels compute: the largest of their claims. */
export function largestBound(claims: readonly KernelBound[]): KernelBound {
  const spreads = claims.flatMap((claim) => (typeof claim === 'number' ? [] : [claim.spread]));
  const factor = Math.max(1, ...claims.map((claim) => (typeof claim === 'number' ? claim : claim.factor)));
  return spreads.length === 0 ? factor : { factor, spread: Math.max(...spreads) };
}
