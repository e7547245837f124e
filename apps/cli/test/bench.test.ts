import { expect, test } from 'vitest';
import { skiplane } from './cli.ts';

interface Measured {
  readonly imagesPerSecond: number;
  readonly runs: number;
}

test('bench measures inference and training', async () => {
  const args = [
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
  const { code, stdout } = await skiplane([...args, '--json']);
  expect(code).toBe(0);
  const result = JSON.parse(stdout) as {
    device: string;
    peakMemoryBytes: number;
    inference: Measured;
    training: Measured;
  };
  expect(result.device).toMatch(/^wasm .*, 2 threads$/u);
  expect(result.peakMemoryBytes).toBeGreaterThan(1e7);
  for (const { imagesPerSecond, runs } of [result.inference, result.training]) {
    expect(runs).toBeGreaterThanOrEqual(3);
    expect(imagesPerSecond).toBeGreaterThan(0);
  }
});

test('bench refuses a batch that cannot be', async () => {
  const { code, stderr } = await skiplane(['bench', '--batch', '0']);
  expect(code).toBe(2);
  expect(stderr).toContain('--batch');
});
