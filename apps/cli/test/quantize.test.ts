import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { skiplane, temporaryFolder } from './cli.ts';

const folder = temporaryFolder();
const weights = join(folder, 'run', 'best.safetensors');
const bytes = join(folder, 'int8.safetensors');
const wasm = ['--backend', 'wasm', '--threads', '1'];
const data = ['--data', 'synthetic'];

beforeAll(async () => {
  const limits = ['--limit-train', '10', '--limit-test', '10', '--batch', '5'];
  const args = ['train', '--model', 'resnet8v1', ...data, ...limits, ...wasm, '--epochs', '1'];
  const { code, stderr } = await skiplane([...args, '--out', join(folder, 'run')]);
  if (code !== 0) throw new Error(stderr);
}, 60_000);

describe('skiplane quantize', () => {
  const quick = [...data, ...wasm, '--calibrate', '16', '--limit', '20', '--batch', '10', '--seconds', '1'];

  test('writes weights that every command reads, and says what they cost', async () => {
    const { code, stdout, stderr } = await skiplane(['quantize', weights, bytes, ...quick, '--json']);
    expect(stderr).not.toMatch(/Error/);
    expect(code).toBe(0);
    const { before, after, changedPredictions, speedup } = JSON.parse(stdout);
    expect(after.bytes).toBe(readFileSync(bytes).length);
    expect(after.bytes).toBeLessThan(before.bytes / 3);
    expect(changedPredictions).toBeGreaterThanOrEqual(Math.abs(after.correct - before.correct));
    expect(speedup).toBeCloseTo(after.imagesPerSecond / before.imagesPerSecond, 6);

    const again = await skiplane(['evaluate', '--weights', bytes, ...data, ...wasm, '--limit', '20', '--json']);
    const evaluated = JSON.parse(again.stdout);
    expect([evaluated.correct, evaluated.count]).toEqual([after.correct, 20]);
    // The oracle computes the same whole numbers; only the last layer is in floats.
    const oracle = await skiplane([
      'evaluate',
      '--weights',
      bytes,
      ...data,
      '--backend',
      'reference',
      '--limit',
      '2',
      '--json',
    ]);
    const two = await skiplane(['evaluate', '--weights', bytes, ...data, ...wasm, '--limit', '2', '--json']);
    expect(JSON.parse(two.stdout).crossEntropy).toBeCloseTo(JSON.parse(oracle.stdout).crossEntropy, 5);
    expect((await skiplane(['inspect', bytes])).stdout).toMatch(/quantizedConv2d/);
  });

  test.each([
    [['quantize', weights, join(folder, 'x.onnx'), ...data], /must end in \.safetensors/, 2],
    [['quantize', weights, join(folder, 'none', 'x.safetensors'), ...data], /no folder/, 1],
    [['quantize', weights, bytes, ...data, '--backend', 'gpu'], /no kernels for int8/, 2],
    [['quantize', bytes, join(folder, 'y.safetensors'), ...quick], /quantized already/, 1],
    [['convert', bytes, join(folder, 'x.onnx')], /only a checkpoint/, 1],
  ])('refuses %j', async (args, message, exit) => {
    const { code, stderr } = await skiplane(args);
    expect(stderr).toMatch(message);
    expect(code).toBe(exit);
  });
});
