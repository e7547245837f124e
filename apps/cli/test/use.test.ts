import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { skiplane, temporaryFolder } from './cli.ts';

const folder = temporaryFolder();
const weights = join(folder, 'run', 'best.safetensors');
const backend = ['--backend', 'wasm', '--threads', '1'];
const smallCifar = fileURLToPath(new URL('../../../../shared/cifar10/small', import.meta.url));

interface Evaluation {
  readonly loss: number;
  readonly accuracy: number;
  readonly correct: number;
  readonly count: number;
  readonly confusion: readonly (readonly number[])[];
}
interface Predictions {
  readonly predictions: readonly {
    readonly file: string;
    readonly top: readonly { readonly classIndex: number; readonly className: string; readonly probability: number }[];
  }[];
}

beforeAll(async () => {
  const data = ['--data', 'synthetic', '--limit-train', '10', '--limit-test', '10', '--batch', '5'];
  const args = ['train', '--model', 'resnet8v1', ...data, ...backend, '--epochs', '1', '--out', join(folder, 'run')];
  const { code, stderr } = await skiplane(args);
  if (code !== 0) throw new Error(stderr);
});

describe('skiplane evaluate', () => {
  const args = ['evaluate', '--weights', weights, '--data', 'synthetic', ...backend, '--limit', '10'];

  test('counts, and writes the predictions in order', async () => {
    const file = join(folder, 'predictions.txt');
    const { stdout } = await skiplane([...args, '--json', '--save-predictions', file]);
    const { loss, accuracy, correct, count, confusion } = JSON.parse(stdout) as Evaluation;
    const predictions = readFileSync(file, 'utf8').trim().split('\n').map(Number);
    expect(predictions).toHaveLength(10);
    expect(count).toBe(10);
    expect(loss).toBeGreaterThan(0);
    expect(accuracy).toBe(correct / 10);
    // The labels of the synthetic images are 0 to 9, in turn.
    expect(predictions.filter((prediction, index) => prediction === index)).toHaveLength(correct);
    predictions.forEach((prediction, index) => expect(confusion[index]?.[prediction]).toBe(1));
  });

  test('counts the k likeliest, tells of every class, and looks at mirror images', async () => {
    interface More extends Evaluation {
      readonly topK: { readonly k: number; readonly correct: number } | null;
      readonly perClass: readonly { readonly className: string; readonly count: number; readonly correct: number }[];
      readonly recipe: string;
    }
    const plain = JSON.parse((await skiplane([...args, '--json', '--top', '1'])).stdout) as More;
    expect(plain.topK).toMatchObject({ k: 1, correct: plain.correct });
    expect(plain.perClass.map(({ count }) => count)).toEqual(new Array(10).fill(1));
    expect(plain.perClass.reduce((sum, { correct }) => sum + correct, 0)).toBe(plain.correct);
    expect(plain.recipe).toBe('keras');
    const all = JSON.parse((await skiplane([...args, '--json', '--top', '10', '--flip'])).stdout) as More;
    expect(all.topK).toMatchObject({ k: 10, correct: 10 });
    expect(all.loss).not.toBe(plain.loss);
    const { stdout } = await skiplane([...args, '--top', '3', '--flip']);
    expect(stdout).toContain('with their mirror images');
    expect(stdout).toMatch(/^top 3 accuracy \d+\.\d\d % {3}\d+ of 10$/m);
    expect(stdout).toMatch(/^class +images +correct +accuracy +precision +mistaken for$/m);
    const eleven = await skiplane([...args, '--top', '11']);
    expect(eleven.stderr).toContain("option '--top' is 11, but the checkpoint knows only 10 classes");
    expect(eleven.code).toBe(2);
  });

  test('prints a confusion matrix', async () => {
    const { code, stdout } = await skiplane(args);
    expect(stdout).toMatch(/accuracy \d+\.\d\d %   correct \d+ of 10/);
    expect(stdout).toContain('checkerboard');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(code).toBe(0);
  });

  test.runIf(existsSync(smallCifar))('reads a CIFAR-10 folder, and notes a limit above it', async () => {
    const data = ['evaluate', '--weights', weights, '--data', smallCifar, ...backend];
    const { stdout, stderr } = await skiplane([...data, '--limit', '5', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ count: 5 });
    expect(stderr).toContain(
      'trained on other classes (disc, ring, square, …) than the data has (airplane, automobile, bird, …)',
    );
    const above = await skiplane([...data, '--limit', '1001', '--json']);
    expect(above.stderr).toMatch(/--limit is 1001, but '.*' has only 1000 images: all of them are used/);
    expect(JSON.parse(above.stdout)).toMatchObject({ count: 1000 });
  });

  test('says what is wrong with folders and checkpoints', async () => {
    const nowhere = join(folder, 'nowhere', 'predictions.txt');
    const unwritable = await skiplane([...args, '--save-predictions', nowhere]);
    expect(unwritable.stderr).toContain(`there is no folder '${join(folder, 'nowhere')}'`);
    expect(unwritable.code).toBe(1);
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const noData = await skiplane(['evaluate', '--weights', weights, '--data', empty]);
    expect(noData.stderr).toContain('data_batch_1.bin');
    expect(noData.code).toBe(1);
    const damaged = join(folder, 'damaged.safetensors');
    writeFileSync(damaged, readFileSync(weights).subarray(0, 1000));
    const cut = await skiplane(['evaluate', '--weights', damaged, '--data', 'synthetic']);
    expect(cut.stderr).toMatch(/^error: cannot load '.*damaged\.safetensors'/);
    expect(cut.code).toBe(1);
  });
});

describe('skiplane predict', () => {
  const pictures = join(folder, 'pictures');
  const predict = ['predict', '--weights', weights, ...backend];

  test('agrees with evaluate on a test image, from a file, a folder and standard input', async () => {
    const file = join(folder, 'all.txt');
    await skiplane([
      'evaluate',
      '--weights',
      weights,
      '--data',
      'synthetic',
      '--limit',
      '3',
      ...backend,
      '--save-predictions',
      file,
    ]);
    const expected = readFileSync(file, 'utf8').trim().split('\n').map(Number);
    mkdirSync(pictures);
    for (const index of ['10', '2', '1']) {
      const saved = await skiplane([
        'data',
        'picture',
        index,
        '--data',
        'synthetic',
        '--to',
        join(pictures, `${index}.png`),
      ]);
      expect(saved.code).toBe(0);
    }
    const { stdout } = await skiplane([...predict, '--json', '--top', '10', pictures]);
    const { predictions } = JSON.parse(stdout) as Predictions;
    expect(predictions.map((entry) => entry.file)).toEqual(
      ['1.png', '2.png', '10.png'].map((name) => join(pictures, name)),
    );
    expect(predictions[1]?.top[0]?.classIndex).toBe(expected[2]);
    for (const { top } of predictions)
      expect(top.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    const input = readFileSync(join(pictures, '2.png'));
    const piped = JSON.parse(
      (await skiplane([...predict, '--json', '--top', '10', '-'], { input })).stdout,
    ) as Predictions;
    expect(piped.predictions[0]).toEqual({ file: '-', top: predictions[1]?.top });
  });

  test('takes pictures of any size and kind', async () => {
    const grey = join(folder, 'grey.jpg');
    await sharp({ create: { width: 300, height: 200, channels: 3, background: 'grey' } })
      .greyscale()
      .toFile(grey);
    const { code, stdout } = await skiplane([...predict, '--top', '2', grey]);
    expect(stdout.trim().split('\n')).toHaveLength(3);
    expect(stdout).toMatch(/^.*grey\.jpg\n +\d+\.\d\d % {2}\w+\n/);
    expect(code).toBe(0);
  });

  test('names every picture that it cannot read', async () => {
    const text = join(folder, 'text.png');
    writeFileSync(text, 'no picture');
    const { code, stdout, stderr } = await skiplane([...predict, text, join(folder, 'grey.jpg')]);
    expect(stderr).toContain(`cannot decode '${text}': it is not a PNG, JPEG or WebP file.`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const missing = await skiplane([...predict, 'one.png', 'two.png']);
    expect(missing.stderr).toMatch(/'one\.png'[\s\S]*'two\.png'/);
    const top = await skiplane([...predict, '--top', '11', text]);
    expect(top.stderr).toContain('knows only 10 classes');
    expect(top.code).toBe(2);
  });
});

describe('skiplane summary', () => {
  test('has the figures of the Keras example', async () => {
    const { stdout } = await skiplane(['summary', 'resnet20v1', '--json', '--batch', '32']);
    expect(JSON.parse(stdout)).toMatchObject({
      parameters: { total: 274_442, trainable: 273_066, nonTrainable: 1376 },
      multiplyAdds: 40_813_184,
      memory: [{ batch: 32 }],
    });
    const table = (await skiplane(['summary', '--weights', weights])).stdout;
    for (const text of ['ResNet8v1', 'stage2/block1/projection', '78,666', '480', 'Memory to train'])
      expect(table).toContain(text);
    const both = await skiplane(['summary', 'resnet8v1', '--weights', weights]);
    expect(both.code).toBe(2);
  });

  test.skipIf(process.platform === 'win32')('a reader that leaves early is no error', async () => {
    const bin = fileURLToPath(new URL('../bin/skiplane.js', import.meta.url));
    const command = `{ '${process.execPath}' '${bin}' summary resnet8v1; echo "code $?" >&2; } | true`;
    expect(await promisify(execFile)('sh', ['-c', command])).toEqual({ stdout: '', stderr: 'code 0\n' });
  });
});
