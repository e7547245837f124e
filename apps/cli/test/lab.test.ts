import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { skiplane, temporaryFolder } from './cli.ts';

const common = ['--data', 'synthetic', '--threads', '1'];
const small = ['--limit-train', '64', '--limit-test', '32', '--epochs', '2', '--seeds', '1'];
const nets = ['--nets', 'highway11,highway11-plain'];

const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8')) as Record<string, unknown>;

describe('skiplane lab', () => {
  test('killed in its second run, it goes on to a table and a page', async () => {
    const out = join(temporaryFolder(), 'lab');
    const begun = await skiplane(['lab', 'highway', ...common, ...small, ...nets, '--out', out], {
      onOutput: (text, child) => void (/run 2 of 2[^]*Epoch 1\/2/.test(text) && child.kill('SIGKILL')),
    });
    expect(begun.stdout).toContain('run 2 of 2');
    expect(begun.stdout).not.toContain('Table:');
    const { code, stdout, stderr } = await skiplane(['lab', 'highway', ...common.slice(2), '--resume', '--out', out]);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('is finished') as string });
    expect(stdout).toMatch(/highway-11 .* 10\.82 %/);

    const { results, nets: kept, recipe } = json(out, 'lab.json');
    expect(kept).toEqual(['highway11', 'highway11-plain']);
    expect(recipe).toMatchObject({ name: 'modern', epochs: 2, validation: { kind: 'test' } });
    const share = { mean: expect.any(Number) as number, deviation: null };
    expect(results).toMatchObject([
      {
        model: 'highway11',
        published: { error: 10.82 },
        runs: [{ seed: 1, epochs: 2 }],
        trainError: share,
        testError: share,
      },
      {
        model: 'highway11-plain',
        published: null,
        runs: [{ seed: 1, epochs: 2 }],
        trainError: share,
        testError: share,
      },
    ]);
    const { epochs } = json(out, 'highway11-plain', 'seed-1', 'measurements.json') as {
      epochs: { epoch: number; layers: object[] }[];
    };
    expect(epochs.map(({ epoch, layers }) => [epoch, layers.length])).toEqual([
      [1, 10],
      [2, 10],
    ]);
    const page = readFileSync(join(out, 'report.html'), 'utf8');
    expect(page.match(/<svg/g)).toHaveLength(6);
    expect(page).not.toMatch(/<script|src="http|NaN/);

    const further = ['lab', 'highway', ...common.slice(2), '--resume', '--out', out, '--seeds'];
    const lost = await skiplane([...further, '2']);
    expect(lost).toMatchObject({ code: 2, stderr: expect.stringContaining('its seeds are 1, and more can') as string });
    const added = await skiplane([...further, '1,2']);
    expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining('run 4 of 4') as string });
    expect(json(out, 'lab.json')).toMatchObject({ seeds: [1, 2], results: [{ runs: [{ seed: 1 }, { seed: 2 }] }, {}] });

    const other = await skiplane(['lab', 'highway', '--resume', '--out', out, '--epochs', '3']);
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('with --epochs') as string });
    const again = await skiplane(['lab', 'highway', ...common, ...small, '--out', out]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('holds a lab already') as string });
  }, 60_000);

  test('a budget gives all nets as many epochs as fit, and is refused where none does', async () => {
    const folder = temporaryFolder();
    const options = ['lab', 'highway', ...common, ...nets, '--seeds', '1', '--limit-test', '32'];
    const none = await skiplane([
      ...options,
      '--limit-train',
      '5000',
      '--budget',
      '0.1s',
      '--out',
      join(folder, 'none'),
    ]);
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(/one epoch fits with --limit-train \d+ at most/);
    const few = await skiplane([
      ...options,
      '--limit-train',
      '32',
      '--budget',
      '10m',
      '--epochs',
      '1',
      '--json',
      '--out',
      join(folder, 'few'),
    ]);
    expect(few.code).toBe(0);
    const lines = few.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toMatchObject({ event: 'run', model: 'highway11', seed: 1, index: 0, count: 2 });
    expect(lines.at(-1)).toMatchObject({
      event: 'lab',
      results: [{ model: 'highway11' }, { model: 'highway11-plain' }],
    });
    expect(json(folder, 'few', 'lab.json')).toMatchObject({
      budget: { seconds: 600, wantedEpochs: 1 },
      recipe: { epochs: 1 },
    });
  }, 60_000);

  test('nets of other labs and unknown experiments are refused', async () => {
    const foreign = await skiplane(['lab', 'highway', '--nets', 'he20', ...common]);
    expect(foreign).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the lab highway has highway11,') as string,
    });
    const depth = await skiplane(['lab', 'shortcuts', '--depth', '57', ...common]);
    expect(depth).toMatchObject({ code: 2, stderr: expect.stringMatching(/'--depth' is 57: .*6n\+2/) as string });
    const unknown = await skiplane(['lab', 'width']);
    expect(unknown).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('degradation, shortcuts, depth, highway') as string,
    });
  });
});
