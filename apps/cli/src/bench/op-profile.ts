import type { OpReport, Profile, ProfileMethod } from '@skiplane/core';

/** Time of one or several ops in a run, and how fast that was by the cost of the ops. */
interface Timing {
  readonly milliseconds: number;
  /** Of the sum of all ops. */
  readonly share: number;
  readonly flops: number;
  readonly bytes: number;
  /** null where no time was seen to pass. */
  readonly gigaflopsPerSecond: number | null;
  readonly gigabytesPerSecond: number | null;
}

export interface OpRow extends Timing {
  readonly label: string;
  readonly kind: string;
  readonly kernels: readonly string[];
}

/** All ops of a kind that run the same kernels. */
export interface KernelRow extends Timing {
  readonly kind: string;
  readonly kernels: readonly string[];
  readonly ops: number;
}

export interface OpProfile {
  readonly profile: { readonly method: ProfileMethod; readonly runs: number; readonly milliseconds: number };
  /** In the order of the run. */
  readonly perOp: readonly OpRow[];
  /** The slowest first. */
  readonly perKernel: readonly KernelRow[];
}

/**
 * The means over several profiles of one program: unlike medians they add up, and times that a device rounds to coarse steps
 * come out right.
 */
export function summarizeProfiles(profiles: readonly Profile[]): OpProfile {
  const [first] = profiles;
  if (first === undefined) throw new RangeError('no profile was taken');
  const mean = (index: number): number =>
    profiles.reduce((sum, { ops }) => sum + (ops[index]?.milliseconds ?? 0), 0) / profiles.length;
  const timed = first.ops.map((op, index) => ({ op, milliseconds: mean(index) }));
  const total = sumOf(timed, ({ milliseconds }) => milliseconds);
  const groups = new Map<string, TimedOp[]>();
  for (const each of timed) {
    const key = [each.op.kind, ...each.op.kernels].join();
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return {
    profile: { method: first.method, runs: profiles.length, milliseconds: total },
    perOp: timed.map((each) => ({
      label: each.op.label,
      kind: each.op.kind,
      kernels: each.op.kernels,
      ...timingOf([each], total),
    })),
    perKernel: [...groups.values()]
      .map((group): KernelRow => ({ ...kernelOf(group), ops: group.length, ...timingOf(group, total) }))
      .toSorted((a, b) => b.milliseconds - a.milliseconds),
  };
}

interface TimedOp {
  readonly op: OpReport;
  readonly milliseconds: number;
}

function kernelOf([first]: readonly TimedOp[]): Pick<KernelRow, 'kind' | 'kernels'> {
  return { kind: first?.op.kind ?? '', kernels: first?.op.kernels ?? [] };
}

function timingOf(ops: readonly TimedOp[], total: number): Timing {
  const milliseconds = sumOf(ops, (each) => each.milliseconds);
  const flops = sumOf(ops, ({ op }) => op.cost.flops);
  const bytes = sumOf(ops, ({ op }) => op.cost.bytes);
  const perSecond = (amount: number): number | null => (milliseconds === 0 ? null : amount / milliseconds / 1e6);
  return {
    milliseconds,
    share: total === 0 ? 0 : milliseconds / total,
    flops,
    bytes,
    gigaflopsPerSecond: perSecond(flops),
    gigabytesPerSecond: perSecond(bytes),
  };
}

function sumOf<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((sum, item) => sum + amount(item), 0);
}
