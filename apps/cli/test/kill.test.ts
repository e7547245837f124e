import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeCheckpoint } from '@skiplane/resnet';
import { expect, test } from 'vitest';
import { jsonLines, skiplane, temporaryFolder } from './cli.ts';

/** How often the run is killed; more kills take proportionally longer. */
const kills = Number(process.env['SKIPLANE_KILLS'] ?? 4);
/** Start-up of a process, about; kills fall from there on. */
const startMilliseconds = 400;
const settings = [
  '--model',
  'resnet8v1',
  '--data',
  'synthetic',
  '--limit-train',
  '300',
  '--limit-test',
  '50',
  '--batch',
  '10',
];
const train = ['train', ...settings, '--epochs', String(kills), '--threads', '2', '--save-seconds', '0.1', '--json'];

const resume = ['train', '--resume', '--threads', '2', '--save-seconds', '0.1', '--json'];

/** Every file of a run folder is whole: both checkpoints decode, and every event is a line of JSON. */
function expectWholeFiles(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const { name } = entry;
    const bytes = readFileSync(join(entry.parentPath, name));
    if (name.endsWith('.safetensors')) expect(decodeCheckpoint(bytes).model.name).toBe('resnet8v1');
    if (name === 'events.jsonl' && bytes.length > 0)
      expect(jsonLines(bytes.toString('utf8')).length).toBeGreaterThan(0);
    if (name === 'history.csv') expect(bytes.toString('utf8').endsWith('\n')).toBe(true);
  }
}

test(`a run that is killed ${kills} times at random moments ends with the bytes of one that is not`, async () => {
  const parent = temporaryFolder();
  const [whole, killed] = [join(parent, 'whole'), join(parent, 'killed')];
  const start = performance.now();
  expect((await skiplane([...train, '--out', whole])).code).toBe(0);
  const duration = performance.now() - start;

  // Killed before its first save, a run begins anew.
  const next = (): string[] =>
    existsSync(join(killed, 'last.safetensors')) ? [...resume, '--out', killed] : [...train, '--out', killed];
  let done = 0;
  while (done < kills) {
    const delay = startMilliseconds + ((duration - startMilliseconds) / kills) * 1.2 * Math.random();
    let timer: NodeJS.Timeout | undefined;
    const { code } = await skiplane(next(), {
      onStart: (child) => {
        timer = setTimeout(() => child.kill('SIGKILL'), delay);
      },
    });
    clearTimeout(timer);
    expectWholeFiles(killed);
    if (code === null) done++;
    // The run got to its end before the kill: nothing is left to be killed.
    else break;
  }
  const last = await skiplane(next());
  expect(last.code).toBe(0);
  expect(done).toBeGreaterThanOrEqual(kills / 2);
  console.log(`killed ${done} times`);
  const models = readdirSync(join(whole, 'saved_models'));
  expect(models).toContain('cifar10_ResNet8v1_model.001.safetensors');
  expect(readdirSync(join(killed, 'saved_models')).toSorted()).toEqual(models.toSorted());
  for (const name of ['last.safetensors', 'best.safetensors', ...models.map((model) => join('saved_models', model))]) {
    expect(readFileSync(join(killed, name)).equals(readFileSync(join(whole, name)))).toBe(true);
  }
}, 600_000);
