import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeviceLostError, type Backend } from '@skiplane/core';
import { createGpuBackend } from '@skiplane/kernels-gpu';
import { decodeCheckpoint, encodeCheckpoint, modelConfig, syntheticDataset, train } from '@skiplane/resnet';
import { describe, expect, test } from 'vitest';
import { skiplane, temporaryFolder } from './cli.ts';
import { missingGpu } from './gpu.ts';
import { loseDeviceAt } from './lose-device.mjs';

const noGpu = await missingGpu();
if (noGpu !== undefined) console.log(`the loss of a device: left out, since ${noGpu}`);

const timeout = 900_000;

describe.runIf(noGpu === undefined)('a run whose device is lost', () => {
  const folder = temporaryFolder();
  const out = (name: string): string => join(folder, name);
  const lastFile = (name: string): string => join(out(name), 'last.safetensors');
  const last = (name: string): Buffer => readFileSync(lastFile(name));
  const tiny = [
    '--model',
    'resnet8v1',
    '--data',
    'synthetic',
    '--limit-train',
    '6',
    '--limit-test',
    '4',
    '--batch',
    '2',
  ];
  const wasm = ['--backend', 'wasm', '--threads', '1'];
  const gpu = ['--backend', 'gpu', '--gpu', 'swiftshader'];
  /** The device is lost while the tensors are made, before kernels are compiled. */
  const losing = {
    NODE_OPTIONS: `--import ${new URL('lose-device.mjs', import.meta.url).href}`,
    LOSE_DEVICE_AT: '50',
  };

  test(
    'names the device, the last checkpoint and the command that goes on from it',
    async () => {
      await skiplane(['train', ...tiny, ...wasm, '--epochs', '1', '--out', out('lost')]);
      const before = last('lost');
      const lost = await skiplane(['train', '--resume', '--epochs', '2', '--out', out('lost'), ...gpu], {
        env: losing,
      });
      expect(lost.code).toBe(1);
      const what = `error: training in '${out('lost')}' has stopped: the device 'SwiftShader`;
      expect(lost.stderr).toContain(what);
      expect(lost.stderr).toContain(`was lost (destroyed): `);
      expect(lost.stderr).toContain(`The last saved checkpoint is '${lastFile('lost')}'; go on from it:\n`);
      expect(lost.stderr).toContain(
        ` train --resume --out ${out('lost')} --backend gpu --gpu swiftshader --epochs 2\n`,
      );
      expect(lost.stderr).not.toMatch(/\n\s+at /);
      expect(last('lost').equals(before)).toBe(true);

      const resumed = await skiplane(['train', '--resume', '--epochs', '2', '--out', out('lost'), ...wasm]);
      expect(resumed).toMatchObject({ code: 0, stdout: expect.stringContaining('Epoch 2/2') as unknown });
      await skiplane(['train', ...tiny, ...wasm, '--epochs', '2', '--out', out('whole')]);
      expect(last('lost').equals(last('whole'))).toBe(true);
    },
    timeout,
  );

  test(
    'says so when it had not come to a checkpoint',
    async () => {
      const { code, stderr } = await skiplane(['train', ...tiny, ...gpu, '--out', out('early')], { env: losing });
      expect(code).toBe(1);
      expect(stderr).toMatch(/was lost \(destroyed\): .+\nIt had not come to its first checkpoint: begin it anew/);
      expect(existsSync(lastFile('early'))).toBe(false);
    },
    timeout,
  );
});

const open = (): Promise<Backend> => createGpuBackend({ software: 'swiftshader', conv: 'direct' });

/** Two devices compile every kernel of a training step, which takes a software adapter minutes. */
const wholeRun = process.env['SKIPLANE_GPU_RESUME'] === '1';
if (!wholeRun) console.log('whole runs on lost devices: left out; SKIPLANE_GPU_RESUME=1 runs them');

describe.runIf(noGpu === undefined && wholeRun)('training on a device that is lost', () => {
  const size = 8;
  const data = (split: 'train' | 'test', count: number) => syntheticDataset({ count, seed: 3, split, size });

  /** Trains two epochs of three steps, or what is left of them, and adds the bytes of each checkpoint to `saved`. */
  async function run(backend: Backend, saved: Uint8Array[]): Promise<void> {
    const previous = saved.at(-1);
    const events = train({
      backend,
      model: modelConfig('resnet8v1', { imageSize: [size, size] }),
      train: data('train', 6),
      validation: data('test', 2),
      epochs: 2,
      batchSize: 2,
      seed: 1,
      learningRate: 1e-3,
      augment: true,
      saveSeconds: 0,
      ...(previous !== undefined && { checkpoint: decodeCheckpoint(previous) }),
    });
    for await (const event of events) {
      if (event.type === 'checkpoint') saved.push(encodeCheckpoint(event.checkpoint));
    }
  }

  test(
    'goes on from its last checkpoint to the same bits',
    async () => {
      const whole: Uint8Array[] = [];
      const lost: Uint8Array[] = [];
      using first = await open();
      await run(first, whole);
      const steps = whole.length;
      // The second run finds its kernels compiled; of its many calls, each checkpoint reads some hundred tensors.
      loseDeviceAt(700);
      await expect(run(first, lost)).rejects.toThrow(DeviceLostError);
      expect(lost.length).toBeGreaterThan(0);
      expect(lost.length).toBeLessThan(steps);
      console.log(`lost after ${lost.length} of ${steps} checkpoints`);
      using second = await open();
      await run(second, lost);
      expect(Buffer.from(lost.at(-1) ?? []).equals(Buffer.from(whole.at(-1) ?? []))).toBe(true);
    },
    timeout,
  );
});
