import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { skiplane, temporaryFolder } from './cli.ts';

const options = ['train', '--model', 'resnet14v1', '--recipe', 'modern', '--data', 'synthetic', '--threads', '2'];
const small = ['--limit-train', '60', '--limit-test', '16', '--epochs', '1', '--no-report'];

const train = (out: string, ...more: string[]) => skiplane([...options, ...small, ...more, '--out', out]);
const digest = (out: string): string =>
  createHash('sha256')
    .update(readFileSync(join(out, 'last.safetensors')))
    .digest('hex');

test('--memory-limit gives the same bits in less memory, as planned', async () => {
  const folder = temporaryFolder();
  const [whole, limited] = [join(folder, 'whole'), join(folder, 'limited')];
  expect(await train(whole)).toMatchObject({ code: 0 });
  const { code, stdout } = await train(limited, '--memory-limit', '48MB');
  expect(code).toBe(0);
  expect(stdout).toMatch(/Memory: \d+ MB planned, limit 48 MB; .* \d+ ops are done twice, \d+\.\d\d % more arithmetic/);
  expect(stdout).toMatch(/Memory: \d+ MB at the peak, as planned/);
  expect(digest(limited)).toBe(digest(whole));

  const tiny = await train(join(folder, 'tiny'), '--memory-limit', '12MB');
  expect(tiny.code).toBe(1);
  expect(tiny.stderr).toMatch(/does not fit in a memory limit of 12 MB: it needs about \d+ MB/);
  const reference = await train(
    join(folder, 'other'),
    '--memory-limit',
    '1GB',
    '--backend',
    'reference',
    '--threads',
    '1',
  );
  expect(reference).toMatchObject({ code: 1, stderr: expect.stringContaining("'reference' cannot") as string });
}, 60_000);
