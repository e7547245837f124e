import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtInRecipes, recipeNames } from '@skiplane/resnet';
import { describe, expect, test } from 'vitest';
import { jsonLines, skiplane, temporaryFolder } from './cli.ts';

const folder = temporaryFolder();
const out = (name: string): string => join(folder, name);
/** Few images, so that it is quick; a later option overrides an earlier one. */
const tiny = ['--model', 'resnet8v1', '--data', 'synthetic', '--limit-train', '6', '--limit-test', '4', '--batch', '2'];
const backend = ['--backend', 'wasm', '--threads', '1'];
const last = (name: string): Buffer => readFileSync(join(out(name), 'last.safetensors'));

describe('skiplane train', () => {
  test('prints a line an epoch and keeps the run', async () => {
    const args = ['train', ...tiny, ...backend, '--epochs', '2', '--lr', '0.01', '--out', out('plain')];
    const { code, stdout, stderr } = await skiplane(args);
    expect(code).toBe(0);
    expect(stdout).toContain('ResNet8v1: 78,666 parameters, 78,186 trainable');
    expect(stdout).toContain('6 train samples, 4 test samples, batches of 2');
    expect(stdout).toMatch(/^Recipe: keras with batchSize 2, learningRate \{"kind":"constant","rate":0.01,/m);
    expect(stdout).toContain('note: the test images are the validation images');
    expect(stdout).toContain('so ReduceLROnPlateau never affects training');
    expect(stdout).toMatch(
      /^Epoch 1\/2 - 3\/3 - \d+:\d\d - loss: \d+\.\d{4} - accuracy: 0\.\d{4} - val_loss: .+ - val_accuracy: 0\.\d{4} - learning_rate: 0\.01 - .+ images\/s/m,
    );
    expect(stdout).toContain(`skiplane evaluate --weights ${join(out('plain'), 'best.safetensors')}`);
    expect(stderr).toMatch(/^backend: /);
    const files = [
      'best.safetensors',
      'events.jsonl',
      'history.csv',
      'last.safetensors',
      'options.json',
      'saved_models',
    ];
    expect(readdirSync(out('plain'))).toEqual(expect.arrayContaining(files));
    expect(readdirSync(join(out('plain'), 'saved_models'))).toContain('cifar10_ResNet8v1_model.001.safetensors');
    // What the example ends with is what its last epoch has found, on the same images.
    const [, loss, accuracy] = /Epoch 2\/2 .* val_loss: (\S+) - val_accuracy: (\S+)/.exec(stdout) ?? [];
    expect(stdout).toContain(`\nTest loss: ${loss}\nTest accuracy: ${accuracy}\n`);
    expect(
      readFileSync(join(out('plain'), 'history.csv'), 'utf8')
        .trim()
        .split('\n'),
    ).toHaveLength(3);
  });

  test('a run that is there is not overwritten, and a finished one says so', async () => {
    await skiplane(['train', ...tiny, ...backend, '--epochs', '1', '--out', out('finished')]);
    const again = await skiplane(['train', ...tiny, ...backend, '--epochs', '1', '--out', out('finished')]);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toMatch(/holds a run already.*--resume.*--out/);
    const resumed = await skiplane(['train', '--resume', '--out', out('finished')]);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toContain('is finished: all of its 1 epochs are done');
    const none = await skiplane(['train', '--resume', '--out', out('nothing')]);
    expect(none.stderr).toContain('holds no run');
    expect(none.code).toBe(1);
  });

  test('--json prints an object with the recipe, one an epoch, and one at the end', async () => {
    const args = ['train', ...tiny, ...backend, '--epochs', '2', '--no-augment', '--json', '--out', out('json')];
    const { stdout } = await skiplane(args);
    const [start, first, second, end] = jsonLines(stdout);
    const number = expect.any(Number) as unknown;
    const epoch = { loss: number, accuracy: number, valLoss: number, valAccuracy: number, imagesPerSecond: number };
    const recipe = {
      name: 'keras',
      epochs: 2,
      batchSize: 2,
      augmentation: { kind: 'none' },
      validation: { kind: 'test' },
    };
    const notes = expect.arrayContaining([expect.stringContaining('the test images are')]) as unknown;
    expect(start).toMatchObject({ event: 'start', model: 'resnet8v1', seed: 1, trainCount: 6, recipe, notes });
    expect(first).toMatchObject({ event: 'epoch', epoch: 1, learningRate: 0.001, ...epoch });
    expect(second).toMatchObject({ event: 'epoch', epoch: 2 });
    expect(end).toMatchObject({ event: 'end', interrupted: false, epochs: 2, epochsDone: 2, recipe });
    expect(end).toMatchObject({ test: { count: 4, loss: number, accuracy: number } });
    const finished = await skiplane(['train', '--resume', '--json', '--out', out('json')]);
    expect(jsonLines(finished.stdout)).toEqual([end]);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s saves, and the resumed run ends with the same bits, on any number of threads',
    async (signal, exitCode) => {
      const name = `stopped-${signal}`;
      const longer = ['--limit-train', '126', '--batch', '8', '--epochs', '12', '--backend', 'wasm'];
      const args = ['train', ...tiny, ...longer, '--threads', '2'];
      let sent = false;
      const stopped = await skiplane([...args, '--out', out(name)], {
        onOutput: (text, child) => {
          if (sent || !text.includes('Epoch 1/12')) return;
          sent = true;
          child.kill(signal);
        },
      });
      expect(stopped.code).toBe(exitCode);
      expect(stopped.stderr).toContain('the state is being saved');
      expect(stopped.stdout).toContain(`skiplane train --resume --out ${out(name)} --backend wasm --threads 2`);
      expect(stopped.stdout).not.toContain('Epoch 12/12');

      const wrong = await skiplane(['train', '--resume', '--out', out(name), '--batch', '3', '--seed', '9']);
      expect(wrong.code).toBe(2);
      expect(wrong.stderr).toContain('--batch is 3, but the run has 8; --seed is 9, but the run has 1');
      const limit = await skiplane(['train', '--resume', '--out', out(name), '--limit-test', '5']);
      expect(limit.stderr).toContain('--limit-test is 5, but the run has 4');

      const resumed = await skiplane(['train', '--resume', '--out', out(name), '--threads', '1']);
      expect(resumed.stdout).toContain('Going on in epoch');
      expect(resumed.stdout).toContain('Epoch 12/12');
      expect(resumed.code).toBe(0);
      // The first of the two makes the run to compare with.
      if (!existsSync(out('whole'))) await skiplane([...args, '--out', out('whole')]);
      expect(last(name).equals(last('whole'))).toBe(true);
    },
  );

  test('a recipe file, with settings on top, is kept with the run and compared when it goes on', async () => {
    const file = out('short.json');
    const stopping = { kind: 'EarlyStopping', monitor: 'loss', mode: 'max', restoreBestWeights: true, verbose: 1 };
    const log = { kind: 'CSVLogger', filename: 'logs/keras.csv', separator: ';' };
    writeFileSync(file, JSON.stringify({ extends: 'modern', epochs: 6, batchSize: 2, callbacks: [stopping, log] }));
    const limits = ['--data', 'synthetic', '--limit-train', '10', '--limit-test', '4', '--model', 'resnet8v1'];
    const set = ['--set', 'optimizer.momentum=0.5', '--set', 'validation.size=4'];
    const args = ['train', ...limits, ...backend, '--recipe', file, ...set, '--out', out('by-file')];
    const { code, stdout } = await skiplane(args);
    expect(stdout).toContain('6 train samples, 4 validation samples, batches of 2');
    expect(stdout).toContain('Recipe: short\n');
    expect(stdout).toMatch(/^Epoch \d: early stopping$/m);
    expect(stdout).toMatch(/^Restoring model weights from the end of the best epoch: \d\.$/m);
    expect(stdout).toMatch(/^Test accuracy: \d\.\d{4}$/m);
    expect(code).toBe(0);
    const [header, row] = readFileSync(join(out('by-file'), 'logs', 'keras.csv'), 'utf8').split('\r\n');
    expect(header).toBe('epoch;accuracy;learning_rate;loss;val_accuracy;val_loss');
    expect(row).toMatch(/^0;0\.\d+;/);
    const resumed = await skiplane(['train', '--resume', '--out', out('by-file')]);
    expect(resumed.stderr).toMatch(/is finished: EarlyStopping ended it after \d of 6 epochs/);
    const other = await skiplane([
      'train',
      '--resume',
      '--out',
      out('by-file'),
      '--set',
      'labelSmoothing=0.1',
      '--lr',
      '1',
    ]);
    expect(other.stderr).toContain('labelSmoothing is 0.1, but the run has 0');
    expect(other.stderr).toContain('learningRate is {"kind":"constant","rate":1,');
    expect(other.code).toBe(2);
    const same = await skiplane(['train', '--resume', '--recipe', file, ...set, '--out', out('by-file')]);
    expect(same.code).toBe(0);
  });

  test('--print-recipe prints what --recipe takes', async () => {
    const printed = await skiplane([
      'train',
      '--recipe',
      'he2015',
      '--set',
      'epochs=9',
      '--batch',
      '7',
      '--print-recipe',
    ]);
    expect(JSON.parse(printed.stdout)).toEqual({ ...builtInRecipes.he2015, epochs: 9, batchSize: 7 });
    writeFileSync(out('printed.json'), printed.stdout);
    const again = await skiplane(['train', '--recipe', out('printed.json'), '--print-recipe']);
    expect(again.stdout).toBe(printed.stdout);
    const { stdout: help } = await skiplane(['train', '--help']);
    for (const name of recipeNames) expect(help).toContain(name);
  });

  test('auto chooses, and says what', async () => {
    const { code, stderr } = await skiplane(['train', ...tiny, '--epochs', '1', '--out', out('auto')]);
    expect(stderr).toMatch(/^backend: wasm .*, \d+ threads? \(chosen by 'auto'\)/);
    expect(code).toBe(0);
    const slow = await skiplane(['train', ...tiny, '--epochs', '1', '--backend', 'reference', '--out', out('slow')]);
    expect(slow.stderr).toBe('backend: float64 loops\n');
    expect(slow.code).toBe(0);
  });

  test('a larger --epochs trains a finished run longer', async () => {
    await skiplane(['train', ...tiny, ...backend, '--epochs', '1', '--out', out('longer')]);
    const { code, stdout } = await skiplane(['train', '--resume', '--out', out('longer'), '--epochs', '2', ...backend]);
    expect(stdout).toContain('Epoch 2/2');
    expect(code).toBe(0);
    const shorter = await skiplane(['train', '--resume', '--out', out('longer'), '--epochs', '1', ...backend]);
    expect(shorter.stderr).toContain('has done 2 already');
    expect(shorter.code).toBe(2);
  });

  test('a loss that is no number ends training with advice', async () => {
    const { code, stderr } = await skiplane([
      'train',
      ...tiny,
      ...backend,
      '--epochs',
      '1',
      '--lr',
      '1e30',
      '--out',
      out('nan'),
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/error: training of resnet8v1 failed: the loss is .*smaller learning rate/);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test('says what is wrong with folders and checkpoints', async () => {
    const file = out('file');
    writeFileSync(file, 'text');
    const inFile = await skiplane(['train', ...tiny, ...backend, '--epochs', '1', '--out', join(file, 'run')]);
    expect(inFile.code).toBe(1);
    expect(inFile.stderr).toContain(join(file, 'run'));
    await skiplane(['train', ...tiny, ...backend, '--epochs', '1', '--out', out('cut')]);
    writeFileSync(join(out('cut'), 'last.safetensors'), last('cut').subarray(0, 5000));
    const cut = await skiplane(['train', '--resume', '--epochs', '2', '--out', out('cut')]);
    expect(cut.code).toBe(1);
    expect(cut.stderr).toMatch(/^error: checkpoint '.*last\.safetensors'/);
    const limit = await skiplane([
      'train',
      '--data',
      'synthetic',
      '--threads',
      '2',
      '--backend',
      'reference',
      '--out',
      out('threads'),
    ]);
    expect(limit.stderr).toContain('the reference backend has 1 thread');
  });
});
