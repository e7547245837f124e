import type { Side } from './compare-ops.ts';
import type { Both } from './judge.ts';
import type { ProgramDiff } from './summarize.ts';

export interface DiffReport {
  readonly ok: boolean;
  readonly model: string;
  readonly batch: number;
  readonly seed: number;
  readonly sides: Both<Side>;
  readonly diffs: readonly ProgramDiff[];
}

/** What `--json` prints; what JSON has no number for is a string: "NaN", "Infinity". */
export function diffJson({ sides, diffs, ...about }: DiffReport): unknown {
  const report = {
    ...about,
    backends: sides.map(({ name, backend }) => ({ name, device: backend.info.device })),
    programs: diffs,
  };
  return JSON.parse(
    JSON.stringify(report, (_key, value: unknown) =>
      typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
    ),
  ) as unknown;
}
