import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The first TypeScript example of the README; it has no types, so Node runs it as it is. */
function example(): string {
  const [, code] = /```ts\n(.*?)```/su.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
  if (code === undefined) throw new Error('README.md has no TypeScript example');
  return code;
}

test('the example of the README trains', async () => {
  const folder = mkdtempSync(join(root, 'apps', 'cli', 'test', 'readme-'));
  try {
    const file = join(folder, 'example.mjs');
    // Fewer images than in the README, so that the test is quick.
    writeFileSync(file, example().replace('4000', '400').replace('500', '50'));
    const { stdout } = await promisify(execFile)(process.execPath, [file]);
    expect(stdout.match(/valAccuracy/gu)).toHaveLength(4);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);
