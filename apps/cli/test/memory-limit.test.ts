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
  const { code, stdout } = await train(limited, '--memory-limit', '32MB');
  expect(code).toBe(0);
  expect(stdout).toMatch(/Memory: \d+ MB planned, limit 32 MB; .* \d+ ops are done twice, \d+\.\d\d % more arithmetic/);
  expect(stdout).toMatch(/Memory: \d+ MB at the peak, as planned/);
  expect(digest(limited)).toBe(digest(whole));

  const tiny = await train(join(folder, 'tiny'), '--memory-limit', '8MB');
  expect(tiny.code).toBe(1);
  expect(tiny.stderr).toMatch(/in \d+ parts does not fit in a memory limit of 8 MB: it needs about \d+ MB/);
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

test('--memory-limit divides batches where recomputation is not enough, says so, and a resumed run keeps the parts', async () => {
  const folder = temporaryFolder();
  const [divided, resumed] = [join(folder, 'divided'), join(folder, 'resumed')];
  const limit = ['--memory-limit', '16MB', '--epochs', '2'];
  const { code, stdout } = await train(divided, ...limit);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /batches of 32 are trained in \d+ parts of \d+ images: batch norms take the statistics of a part/,
  );
  expect(stdout).toMatch(/Memory: \d+ MB at the peak, as planned/);
  const stopped = await skiplane([...options, ...small, ...limit, '--out', resumed], {
    onOutput: (text, child) => void (text.includes('Epoch 1/2') && child.kill('SIGINT')),
  });
  expect(stopped.stdout).toContain('Go on with');
  const { code: end } = await skiplane(['train', '--resume', '--threads', '2', '--no-report', '--out', resumed]);
  expect(end).toBe(0);
  expect(digest(resumed)).toBe(digest(divided));
}, 60_000);
