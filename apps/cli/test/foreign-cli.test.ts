import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { skiplane, temporaryFolder } from './cli.ts';

const folder = temporaryFolder();
const picture = join(folder, 'picture.png');
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../tools/foreign-weights/fixtures/${name}`, import.meta.url));
const shared = fileURLToPath(new URL('../../../../shared', import.meta.url));

interface Predictions {
  readonly predictions: readonly {
    readonly top: readonly { readonly classIndex: number; readonly probability: number }[];
  }[];
}

const predict = async (...args: readonly string[]): Promise<Predictions> =>
  JSON.parse((await skiplane(['predict', '--backend', 'reference', '--json', ...args, picture])).stdout) as Predictions;

beforeAll(async () => {
  await sharp({ create: { width: 32, height: 32, channels: 3, background: '#3a7' } })
    .png()
    .toFile(picture);
});

describe('skiplane inspect', () => {
  test('shows layers, counts, metadata and SHA-256 of every kind of file', async () => {
    const { stdout, code } = await skiplane(['inspect', fixture('small.keras')]);
    for (const part of ['keras-zip', 'SHA-256', 'keras_version', 'batchNorm', 'concat', 'minus a mean'])
      expect(stdout).toContain(part);
    expect(code).toBe(0);
    for (const [name, format] of [
      ['small.h5', 'keras-hdf5'],
      ['small-tfjs.json', 'tfjs-layers'],
      ['timm.safetensors', 'safetensors'],
    ] as const) {
      const json = JSON.parse((await skiplane(['inspect', fixture(name), '--json'])).stdout) as Record<string, unknown>;
      expect(json).toMatchObject({
        format,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        model: { layers: expect.any(Array) as unknown[] },
      });
    }
  });

  test('lists tensors when asked', async () => {
    const { stdout } = await skiplane(['inspect', fixture('timm.safetensors'), '--tensors']);
    expect(stdout).toMatch(/^layer2\.0\.downsample\.0\.weight +float32 +8 × 4 × 1 × 1 +32$/m);
  });
});

describe('skiplane convert', () => {
  const weights = fixture('timm.safetensors');

  test.each([[[]], [['--fold']]])('gives a checkpoint with the same predictions %s', async (fold) => {
    const out = join(folder, `converted${fold.length}.safetensors`);
    const { stdout, code } = await skiplane(['convert', weights, out, '--preprocess', 'imagenet', ...fold]);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('is now') as string });
    const own = await predict('--weights', out);
    const foreign = await predict('--weights', weights, '--preprocess', 'imagenet');
    expect(own.predictions[0]?.top[0]?.classIndex).toBe(foreign.predictions[0]?.top[0]?.classIndex);
    expect(own.predictions[0]?.top[0]?.probability).toBeCloseTo(foreign.predictions[0]?.top[0]?.probability ?? 0, 5);
    const summary = await skiplane(['summary', '--weights', out]);
    expect(summary.stdout.includes('batchNorm')).toBe(fold.length === 0);
  });

  test('writes what the ending says, and the preprocessing with it', async () => {
    const target = join(folder, 'tfjs');
    await mkdir(target);
    const { stdout } = await skiplane(['convert', weights, target, '--preprocess', 'imagenet', '--json']);
    const [path, shard] = [join(target, 'model.json'), join(target, 'group1-shard1of1.bin')];
    expect(JSON.parse(stdout)).toMatchObject({ to: path, written: 'tfjs-layers', files: [path, shard] });
    const there = await predict('--weights', path);
    const here = await predict('--weights', weights, '--preprocess', 'imagenet');
    expect(there.predictions[0]?.top).toEqual(here.predictions[0]?.top);
  });

  test('lists the endings where one is none of them', async () => {
    const { code, stderr } = await skiplane(['convert', weights, join(folder, 'x.pb')]);
    expect(stderr).toContain('.safetensors, .h5, .hdf5, .keras, .onnx, .json');
    expect(code).toBe(2);
  });
});

describe('--preprocess', () => {
  test('is asked for where the file does not say it', async () => {
    const { code, stderr } = await skiplane(['predict', '--weights', fixture('timm.safetensors'), picture]);
    for (const preset of ['keras-mean', 'unit', 'raw', 'imagenet', 'cifar', 'JSON']) expect(stderr).toContain(preset);
    expect(code).toBe(1);
  });

  test('says what is wrong with it', async () => {
    const { code, stderr } = await skiplane([
      'predict',
      '--weights',
      fixture('timm.safetensors'),
      '--preprocess',
      'cifat',
      picture,
    ]);
    expect(stderr).toContain("'cifat' is neither a preset nor JSON");
    expect(code).toBe(2);
  });

  test.runIf(existsSync(`${shared}/weights`))('evaluates weights of PyTorch', { timeout: 60_000 }, async () => {
    const args = [
      '--weights',
      `${shared}/weights/resnet20-12fca82f.th`,
      '--data',
      `${shared}/cifar10/small`,
      '--limit',
      '200',
      '--json',
    ];
    const json = (
      await skiplane([
        'evaluate',
        ...args,
        '--preprocess',
        '{"scale":0.00392156862745098,"mean":[0.485,0.456,0.406],"std":[0.229,0.224,0.225]}',
      ])
    ).stdout;
    const preset = (await skiplane(['evaluate', ...args, '--preprocess', 'imagenet'])).stdout;
    expect(JSON.parse(json)).toMatchObject({ count: 200 });
    expect(json).toBe(preset);
  });
});
