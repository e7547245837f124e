import { describe, expect, test } from 'vitest';
import { skiplane } from './cli.ts';

describe('usage', () => {
  test('--help and --version go to stdout', async () => {
    const help = await skiplane(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const verb of ['train', 'evaluate', 'predict', 'summary', 'data', 'doctor'])
      expect(help.stdout).toContain(verb);
    expect(await skiplane(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n' });
    expect((await skiplane(['train', '--help'])).stdout).toContain('--save-seconds');
  });

  const mistakes: readonly (readonly [args: string, ...message: string[]])[] = [
    ['trian', "unknown command 'trian'", 'Did you mean train?'],
    ['train --epohcs 3', "unknown option '--epohcs'", 'Did you mean --epochs?'],
    ['train extra', 'too many arguments'],
    ['train --epochs 0', '--epochs', "'0'", 'whole number from 1 up'],
    ['train --batch 1.5', '--batch', "'1.5'", 'whole number'],
    ['train --epochs 0x10', '--epochs', "'0x10'"],
    ['train --lr abc', '--lr', "'abc'", "greater than 0, or 'keras'"],
    ['train --lr -1', '--lr', "'-1'"],
    ['train --recipe modem', "--recipe is 'modem'", 'keras, he2015', "Did you mean 'modern'?"],
    ['train --set momentum', "'momentum' is no setting", 'optimizer.momentum=0.8'],
    [
      'train --set optimizer=rmsprop --set labelSmoothing=2',
      "optimizer.kind is rmsprop, but must be 'adam' or 'adamW' or 'sgd'",
      'labelSmoothing is 2, but must be from 0 to below 1',
    ],
    ['train --set validation=given', "validation.kind is given, but here it must be 'test' or 'holdout'"],
    ['train --seed -1', '--seed', 'from 0 up'],
    ['train --threads 0', '--threads', 'from 1 to 256'],
    ['train --save-seconds -1', '--save-seconds', '0 or more'],
    ['train --backend tpu', '--backend', "'tpu'", 'auto, wasm, gpu, reference'],
    ['train --backend gpu --precision f8', '--precision', 'f32, f16'],
    ['train --backend wasm --precision f16', 'but --backend is wasm: choose --backend gpu'],
    ['bench --backend reference --conv direct', "convolutions of '--backend wasm', but --backend is reference"],
    ['predict --weights w --conv fft x.png', '--conv', 'auto, direct, winograd'],
    ['bench --precision f16', "(--precision f16) are for '--backend gpu', but --backend is auto"],
    ['train --model resnet21v1', 'depth should be 6n+2 (eg 20, 32, 44 in [a])', "Did you mean 'resnet20v1'?"],
    ['summary resnet20', "unknown model 'resnet20'", "Did you mean 'resnet20v1'?"],
    ['summary he21', 'depth 21 of a he2015 net: depth should be 6n+2', "Did you mean 'he20'?"],
    ['summary rsnet50', "unknown model 'rsnet50'", "Did you mean 'resnet50'?"],
    ['summary', 'summary needs a model'],
    ['summary resnet8v1 --batch 1,x', '--batch', 'from 1 to 65536'],
    ['evaluate', '--weights'],
    ['predict --weights x', "missing required argument 'image'"],
    ['predict --weights x --top 0 a.png', '--top'],
    ['predict --weights x --fit crop a.png', '--fit', 'cover, contain, fill'],
    ['data donwload', "unknown command 'data donwload'", "Did you mean 'download'?"],
    ['data download --sha256 12', '--sha256', '64 hexadecimal digits'],
    ['data download --url ftp://x', '--url', 'https://'],
  ];
  test.each(mistakes)('%s', async (args, ...message) => {
    const { code, stdout, stderr } = await skiplane(args.split(' '));
    expect(stderr).toMatch(/^error: /);
    for (const part of message) expect(stderr).toContain(part);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  test('a missing file is a failure, not a wrong usage', async () => {
    const { code, stderr } = await skiplane(['evaluate', '--weights', 'missing.safetensors']);
    expect(stderr).toContain("'missing.safetensors'");
    expect(code).toBe(1);
  });

  test('the stack trace comes with SKIPLANE_DEBUG only', async () => {
    const env = { SKIPLANE_DEBUG: '1' };
    const { stderr } = await skiplane(['evaluate', '--weights', 'missing.safetensors'], { env });
    expect(stderr).toMatch(/\n\s+at /);
  });
});
