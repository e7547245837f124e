import type { OpTiming } from '@skiplane/core';
import { describe, expect, test } from 'vitest';
import { summarizeProfiles, type KernelRow, type OpRow } from '../src/bench/op-profile.ts';
import { skiplane } from './cli.ts';

interface Measured {
  readonly imagesPerSecond: number;
  readonly runs: number;
  readonly compileMilliseconds: number;
  readonly profile?: { readonly method: string; readonly runs: number; readonly milliseconds: number };
  readonly perOp?: readonly OpRow[];
  readonly perKernel?: readonly KernelRow[];
}

interface Result {
  readonly device: string;
  readonly startupMilliseconds: number;
  readonly compileMilliseconds: number;
  readonly peakMemoryBytes: number;
  readonly matrixProduct?: { readonly size: number; readonly gigaflopsPerSecond: number };
  readonly copy?: { readonly bytes: number; readonly gigabytesPerSecond: number };
  readonly inference: Measured;
  readonly training: Measured;
}

const quick = [
  'bench',
  '--model',
  'resnet8v1',
  '--batch',
  '4',
  '--seconds',
  '0.1',
  '--threads',
  '2',
  '--backend',
  'wasm',
];
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

test('bench measures inference and training', async () => {
  const { code, stdout, stderr } = await skiplane([...quick, '--json']);
  expect(code, stderr).toBe(0);
  const result = JSON.parse(stdout) as Result;
  expect(result.device).toMatch(/^wasm .*, 2 threads$/u);
  expect(result.peakMemoryBytes).toBeGreaterThan(1e7);
  expect(result.startupMilliseconds).toBeGreaterThan(1);
  const programs = [result.inference, result.training];
  for (const { imagesPerSecond, runs, perOp } of programs) {
    expect(runs).toBeGreaterThanOrEqual(3);
    expect(imagesPerSecond).toBeGreaterThan(0);
    expect(perOp).toBeUndefined();
  }
  expect(result.compileMilliseconds).toBeCloseTo(sum(programs.map((program) => program.compileMilliseconds)));
});

test('bench --per-op lists every op with its time, and sums up the kernels', async () => {
  const { code, stdout, stderr } = await skiplane([...quick, '--per-op', '--json']);
  expect(code, stderr).toBe(0);
  const { inference, training, matrixProduct, copy } = JSON.parse(stdout) as Result;
  expect(matrixProduct?.size).toBe(512);
  expect(matrixProduct?.gigaflopsPerSecond).toBeGreaterThan(0);
  expect(copy?.bytes).toBe(2 ** 25);
  // No memory is faster than a terabyte a second beside two cores.
  expect(copy?.gigabytesPerSecond).toBeGreaterThan(0);
  expect(copy?.gigabytesPerSecond).toBeLessThan(1000);
  for (const { profile, perOp = [], perKernel = [] } of [inference, training]) {
    expect(profile).toMatchObject({ method: 'clock' });
    expect(profile?.runs).toBeGreaterThanOrEqual(3);
    expect(sum(perOp.map(({ milliseconds }) => milliseconds))).toBeCloseTo(profile?.milliseconds ?? 0);
    expect(sum(perKernel.map(({ ops }) => ops))).toBe(perOp.length);
    for (const rows of [perOp, perKernel]) expect(sum(rows.map(({ share }) => share))).toBeCloseTo(1);
    const stem = perOp.find(({ kind, label }) => kind === 'conv2d' && label === 'stem/conv');
    // 2 operations for each of 3·3·3 products of 4·32·32·16 outputs.
    expect(stem?.flops).toBe(2 * 27 * 4 * 32 * 32 * 16);
    expect(stem?.kernels).toHaveLength(1);
    expect(stem?.gigaflopsPerSecond).toBeCloseTo((stem?.flops ?? 0) / (stem?.milliseconds ?? 0) / 1e6);
  }
  expect(training.perOp?.some(({ kind }) => kind === 'adam')).toBe(true);
});

test('bench --per-op prints a table of the kernels and one of the ops', async () => {
  const { code, stdout, stderr } = await skiplane([...quick, '--per-op']);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^inference +\d+ /mu);
  expect(stdout).toMatch(/^Ops of training, by the processor's clock/mu);
  expect(stdout).toMatch(/^conv2dBackpropFilter +conv2dBackpropFilter\.\S+ +\d+ +\d+\.\d+ +\d+\.\d %/mu);
  expect(stdout).toMatch(
    /^stage1\/block1\/conv1 +conv2d +conv2d\.\S+ +\d+\.\d+ +\d+\.\d % +\d+\.\d +\d+\.\d\d +\d+\.\d +\d+\.\d\d$/mu,
  );
  expect(stdout).toMatch(/^A copy of 32 MiB \(affine\.\S+\): \d+\.\d GB\/s$/mu);
  expect(stdout).toMatch(/^A plain product of 512×512 matrices \(matMul\.\S+\): \d+\.\d GFLOP\/s$/mu);
});

test('bench refuses a batch that cannot be', async () => {
  const { code, stderr } = await skiplane(['bench', '--batch', '0']);
  expect(code).toBe(2);
  expect(stderr).toContain('--batch');
});

function op(label: string, kernel: string, milliseconds: number): OpTiming {
  return { kind: 'relu', label, kernels: [kernel], cost: { flops: 4e6, bytes: 8e6 }, milliseconds };
}

describe('the summary of profiles', () => {
  test('takes the mean of each op, and puts together the ops of a kernel', () => {
    const { profile, perOp, perKernel } = summarizeProfiles([
      { method: 'timestamps', ops: [op('a', 'small', 1), op('b', 'large', 4), op('c', 'large', 0)] },
      { method: 'timestamps', ops: [op('a', 'small', 3), op('b', 'large', 8), op('c', 'large', 0)] },
    ]);
    expect(profile).toEqual({ method: 'timestamps', runs: 2, milliseconds: 8 });
    expect(perOp.map(({ label, milliseconds, share }) => [label, milliseconds, share])).toEqual([
      ['a', 2, 0.25],
      ['b', 6, 0.75],
      ['c', 0, 0],
    ]);
    expect(perOp.map((each) => [each.gigaflopsPerSecond, each.gigabytesPerSecond])).toEqual([
      [2, 4],
      [4e6 / 6e6, 8e6 / 6e6],
      [null, null],
    ]);
    expect(perKernel).toMatchObject([
      { kernels: ['large'], ops: 2, milliseconds: 6, flops: 8e6, gigaflopsPerSecond: 8 / 6 },
      { kernels: ['small'], ops: 1, milliseconds: 2, flops: 4e6, gigaflopsPerSecond: 2 },
    ]);
  });
});
