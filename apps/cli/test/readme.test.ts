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

/** The JavaScript examples of a guide, one behind the other: they are one program. */
function guide(path: string): string {
  const blocks = readFileSync(join(root, path), 'utf8').matchAll(/```js\n(.*?)```/gsu);
  return Array.from(blocks, ([, code]) => code).join('\n');
}

/** Runs a program where the packages are found, and gives what it prints. */
async function run(code: string): Promise<string> {
  const folder = mkdtempSync(join(root, 'apps', 'cli', 'test', 'readme-'));
  try {
    const file = join(folder, 'example.mjs');
    writeFileSync(file, code);
    return (await promisify(execFile)(process.execPath, [file])).stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('the example of the README trains', async () => {
  // Fewer images than in the README, so that the test is quick.
  const printed = await run(example().replace('4000', '400').replace('500', '50'));
  expect(printed.match(/valAccuracy/gu)).toHaveLength(4);
}, 60_000);

test('the guide to the library is a program that runs', async () => {
  const printed = await run(guide('docs/library.md'));
  expect(printed.match(/^epoch \d: 0/gmu)).toHaveLength(2);
  expect(printed).toMatch(
    /goes on at step 20[^]*Grad-CAM of class \d at stage3\/block1\/relu, 4×4[^]*onnx resnet8v1\n\[ 5, -1 \]/u,
  );
}, 60_000);
