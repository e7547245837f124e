import type { ProfileMethod } from '@skiplane/core';
import prettyBytes from 'pretty-bytes';
import { printLine } from '../output.ts';
import { renderTable } from '../render/table.ts';
import type { Measurement } from './measure.ts';
import type { KernelRow, OpProfile, OpRow } from './op-profile.ts';
import type { Peaks } from './peaks.ts';

/** What `bench` has found, the object of `--json`. */
export interface BenchResult extends Partial<Peaks> {
  readonly model: string;
  readonly batch: number;
  readonly device: string;
  /** From the start of the process until the backend was open. */
  readonly startupMilliseconds: number;
  /** Of both programs. */
  readonly compileMilliseconds: number;
  readonly inference: Measurement;
  readonly training: Measurement;
  readonly peakMemoryBytes: number;
}

export function printResult(result: BenchResult): void {
  const programs = Object.entries({ inference: result.inference, training: result.training });
  printLine(`${result.model}, batch ${result.batch}, ${result.device}`);
  printLine();
  printLine(
    renderTable({
      head: ['', 'Images/s', 'Median ms', 'Least ms', 'Runs', 'Compile ms'],
      align: ['left', 'right', 'right', 'right', 'right', 'right'],
      rows: programs.map(([name, measured]) => [
        name,
        measured.imagesPerSecond.toFixed(measured.imagesPerSecond < 10 ? 2 : 0),
        measured.medianMilliseconds.toFixed(1),
        measured.minimumMilliseconds.toFixed(1),
        String(measured.runs),
        measured.compileMilliseconds.toFixed(0),
      ]),
    }),
  );
  printLine();
  printLine(`From the start of the process to the open backend: ${result.startupMilliseconds.toFixed(0)} ms`);
  printLine(`Peak memory of the process: ${prettyBytes(result.peakMemoryBytes)}`);
  const { matrixProduct, copy } = result;
  if (matrixProduct === undefined || copy === undefined) return;
  const { size, kernels, gigaflopsPerSecond } = matrixProduct;
  printLine(
    `A plain product of ${size}×${size} matrices (${kernels.join(' + ')}): ${gigaflopsPerSecond.toFixed(1)} GFLOP/s`,
  );
  printLine(
    `A copy of ${prettyBytes(copy.bytes, { binary: true })} (${copy.kernels.join(' + ')}): ${copy.gigabytesPerSecond.toFixed(1)} GB/s`,
  );
  for (const [name, { profile, perOp, perKernel, medianMilliseconds }] of programs) {
    if (profile === undefined || perOp === undefined || perKernel === undefined) continue;
    printProfile(name, { profile, perOp, perKernel }, { medianMilliseconds, matrixProduct, copy });
  }
}

const methods: Readonly<Record<ProfileMethod, string>> = {
  clock: "by the processor's clock around each op",
  timestamps: "by timestamps of the device's clock, each op in a pass of its own",
  submissions:
    'by the clock around a submission an op, since the device has no timestamps: each holds the way to it and back',
};

interface Context extends Peaks {
  readonly medianMilliseconds: number;
}

function printProfile(
  name: string,
  { profile, perOp, perKernel }: OpProfile,
  { medianMilliseconds, ...peaks }: Context,
): void {
  const { method, runs, milliseconds } = profile;
  printLine();
  printLine(`Ops of ${name}, ${methods[method]}.`);
  printLine(
    `Means of ${runs} runs. All ops: ${milliseconds.toFixed(2)} ms; a run that is not timed op by op: ${medianMilliseconds.toFixed(2)} ms.`,
  );
  printLine(
    'GFLOP/s and GB/s count what the op must compute and move at least; a Winograd kernel computes less. ÷ product and ÷ copy are the speed in shares of the matrix product and of the copy; what stays in caches is faster than a copy.',
  );
  printLine();
  printLine(renderTable(kernelTable(perKernel, peaks)));
  printLine();
  const { slow, rest } = splitOps(perOp);
  printLine(renderTable(opTable(slow, peaks)));
  if (rest.length === 0) return;
  const share = rest.reduce((sum, op) => sum + op.share, 0);
  printLine(`and ${rest.length} more, which take ${percent(share)} together (--json lists them).`);
}

/** Shown one by one: the ops that take this share of the run together. */
const shownShare = 0.99;

/** The slowest ops first, and those behind that hardly count. */
function splitOps(ops: readonly OpRow[]): { readonly slow: readonly OpRow[]; readonly rest: readonly OpRow[] } {
  const sorted = ops.toSorted((a, b) => b.milliseconds - a.milliseconds);
  let share = 0;
  const end = sorted.findIndex((op) => (share += op.share) >= shownShare);
  const count = end === -1 ? sorted.length : end + 1;
  return { slow: sorted.slice(0, count), rest: sorted.slice(count) };
}

const timingHead = ['ms', 'Share', 'GFLOP/s', '÷ product', 'GB/s', '÷ copy'];
const timingAlign = ['right', 'right', 'right', 'right', 'right', 'right'] as const;

function kernelTable(rows: readonly KernelRow[], peaks: Peaks) {
  return {
    head: ['Kind', 'Kernels', 'Ops', ...timingHead],
    align: ['left', 'left', 'right', ...timingAlign] as const,
    rows: rows.map((row) => [row.kind, row.kernels.join(' + '), String(row.ops), ...timingCells(row, peaks)]),
  };
}

function opTable(rows: readonly OpRow[], peaks: Peaks) {
  return {
    head: ['Op', 'Kind', 'Kernels', ...timingHead],
    align: ['left', 'left', 'left', ...timingAlign] as const,
    rows: rows.map((row) => [row.label, row.kind, row.kernels.join(' + '), ...timingCells(row, peaks)]),
  };
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

const rate = (value: number | null): string => (value === null ? '' : value.toFixed(1));

const ratio = (value: number | null, peak: number): string => (value === null ? '' : (value / peak).toFixed(2));

function timingCells(row: OpRow | KernelRow, { matrixProduct, copy }: Peaks): string[] {
  const { milliseconds, share, gigaflopsPerSecond, gigabytesPerSecond } = row;
  return [
    milliseconds.toFixed(3),
    percent(share),
    rate(gigaflopsPerSecond),
    ratio(gigaflopsPerSecond, matrixProduct.gigaflopsPerSecond),
    rate(gigabytesPerSecond),
    ratio(gigabytesPerSecond, copy.gigabytesPerSecond),
  ];
}
