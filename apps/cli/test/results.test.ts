import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCard, type ResultsCard } from '@skiplane/resnet/node';
import { beforeAll, describe, expect, test } from 'vitest';
import { compareCards } from '../src/reproduce/compare.ts';
import { distribution } from '../src/seeds/statistics.ts';
import { jsonLines, skiplane, temporaryFolder } from './cli.ts';

const folder = temporaryFolder();
const out = (...names: string[]): string => join(folder, ...names);
const tiny = [
  '--model',
  'resnet8v1',
  '--data',
  'synthetic',
  '--limit-train',
  '6',
  '--limit-test',
  '12',
  '--batch',
  '2',
];
const args = [...tiny, '--epochs', '2', '--lr', '0.001', '--backend', 'wasm'];
const card = (...names: string[]): Promise<ResultsCard> => readCard(out(...names, 'card.json'));

let trained = { code: null as number | null, stdout: '', stderr: '' };
beforeAll(async () => {
  trained = await skiplane(['train', ...args, '--threads', '1', '--out', out('run')]);
}, 60_000);

/** A card like that of the run, in a file of its own. */
async function otherCard(name: string, changes: (card: ResultsCard) => Partial<ResultsCard>): Promise<string> {
  const own = await card('run');
  writeFileSync(out(name), JSON.stringify({ ...own, ...changes(own) }));
  return out(name);
}

describe('the end of a run', () => {
  test('brings a card, a report and event files', async () => {
    expect(trained.code).toBe(0);
    expect(trained.stdout).toContain(`Report: ${out('run', 'report.html')}`);
    expect(readdirSync(out('run'))).toEqual(
      expect.arrayContaining(['card.json', 'evaluation.json', 'report.html', 'tensorboard']),
    );
    const { model, seed, recipe, data, result, curve, backend, versions } = await card('run');
    expect({ model: model.name, seed, epochs: recipe.epochs }).toEqual({ model: 'resnet8v1', seed: 1, epochs: 2 });
    expect(data).toMatchObject({ source: 'synthetic', limitTrain: 6, train: { count: 6 }, test: { count: 12 } });
    expect(trained.stdout).toContain(`Test accuracy: ${result.test?.accuracy.toFixed(4)}`);
    expect(curve.map(({ epoch, timing }) => [epoch, timing !== null])).toEqual([
      [1, true],
      [2, true],
    ]);
    expect(result.seconds).toBeGreaterThan(0);
    expect(backend.devices).toEqual([backend.device]);
    expect(versions).toMatchObject({ node: process.versions.node, v8: process.versions.v8, skiplane: '0.1.0' });
  });

  test('the report is one page without script or network', () => {
    const page = readFileSync(out('run', 'report.html'), 'utf8');
    expect(page).not.toMatch(/<script|https?:|<link|url\(|@import/u);
    for (const title of [
      'Loss',
      'Accuracy',
      'Learning rate',
      'Images per second',
      'Confusion matrix',
      'Class by class',
    ])
      expect(page).toContain(title);
    expect(page.match(/<svg /gu)).toHaveLength(4);
    expect(page).toContain('prefers-color-scheme: dark');
    // Every mistake is a picture: 12 images less the right ones.
    const { confusion, mistakes } = JSON.parse(readFileSync(out('run', 'evaluation.json'), 'utf8')) as {
      confusion: number[][];
      mistakes: { loss: number }[];
    };
    const right = confusion.reduce((sum, row, label) => sum + (row[label] ?? 0), 0);
    expect(mistakes).toHaveLength(12 - right);
    expect(page.match(/src="data:image\/png;base64,iVBOR/gu)).toHaveLength(mistakes.length);
    expect(mistakes.map(({ loss }) => loss)).toEqual(mistakes.map(({ loss }) => loss).toSorted((a, b) => b - a));
  });

  test('what a kill has left out is made by going on with the finished run', async () => {
    await skiplane(['train', ...args, '--threads', '1', '--out', out('killed')]);
    rmSync(out('killed', 'card.json'));
    rmSync(out('killed', 'report.html'));
    const { code } = await skiplane(['train', '--resume', '--out', out('killed')]);
    expect(code).toBe(0);
    expect((await card('killed')).weights).toEqual((await card('run')).weights);
    expect(readdirSync(out('killed'))).toContain('report.html');
  });
});

describe('skiplane reproduce', () => {
  test('repeats a run to the same bits, on another number of threads', async () => {
    const path = out('run', 'card.json');
    const { code, stdout } = await skiplane(['reproduce', path, '--threads', '2', '--out', out('again')]);
    expect(stdout).toContain('Reproduced: the same bits, as promised.');
    expect(stdout).not.toContain('DIFFERENT');
    expect(code).toBe(0);
  });

  test('fails where bits differ that were promised to be the same', async () => {
    const path = await otherCard('false.json', ({ weights }) => ({ weights: { ...weights, last: '0'.repeat(64) } }));
    const { code, stdout } = await skiplane(['reproduce', path, '--out', out('again')]);
    expect(stdout).toMatch(/weights +0{16}… +[0-9a-f]{16}… +DIFFERENT/u);
    expect(stdout).toContain('NOT reproduced');
    expect(code).toBe(1);
    const json = await skiplane(['reproduce', path, '--out', out('again'), '--json']);
    expect(jsonLines(json.stdout).at(-1)).toMatchObject({ promised: true, sameBits: false, reproduced: false });
    expect(json.code).toBe(1);
  });

  test('promises nothing of another version, and says so', async () => {
    const path = await otherCard('old.json', ({ weights, versions }) => ({
      weights: { ...weights, last: '0'.repeat(64) },
      versions: { ...versions, skiplane: '0.0.9', build: '1'.repeat(64) },
    }));
    const { code, stdout, stderr } = await skiplane(['reproduce', path, '--out', out('again')]);
    expect(stderr).toContain('warning: the card is of skiplane 0.0.9');
    expect(stdout).toMatch(/Not promised to be the same bits: the program was 0\.0\.9/u);
    expect(stdout).toContain('Repeated with other bits.');
    expect(code).toBe(0);
  });

  test('refuses other data, and what is no card, before anything is trained', async () => {
    const path = await otherCard('data.json', ({ data }) => ({ data: { ...data, limitTrain: 7 } }));
    const other = await skiplane(['reproduce', path, '--out', out('never')]);
    expect(other.stderr).toMatch(/its train images are 6 of .* with SHA-256 .* but those given are 7 of/u);
    expect(other.code).toBe(1);
    writeFileSync(out('none.json'), '{"format":"skiplane-card","version":1}');
    const none = await skiplane(['reproduce', out('none.json')]);
    expect(none.stderr).toMatch(/is no usable results card: .*recipe/u);
    expect(readdirSync(folder)).not.toContain('never');
  });

  test('compares cards by what decides the bits', async () => {
    const own = await card('run');
    const compare = (changes: Partial<ResultsCard>) => compareCards({ ...own, ...changes }, own);
    expect(compare({})).toMatchObject({ reasons: [], sameBits: true, accuracyDifference: 0 });
    const { backend, machine } = own;
    const threads = {
      ...backend,
      device: 'wasm simd, 7 threads',
      devices: ['wasm simd, 1 thread'],
      features: ['simd'],
    };
    expect(compare({ backend: threads }).reasons).toHaveLength(backend.features.includes('simd') ? 0 : 1);
    const otherProcessor = compareCards(
      { ...own, backend: threads, machine: { ...machine, cpu: 'another' } },
      { ...own, backend: threads },
    );
    expect(otherProcessor.reasons).toEqual([]);
    const relaxed = { ...threads, features: ['relaxed-simd'] };
    const free = compareCards(
      { ...own, backend: relaxed, machine: { ...machine, cpu: 'another' } },
      { ...own, backend: relaxed },
    );
    expect(free.reasons).toEqual([expect.stringContaining('the processor')]);
    const [first, ...rest] = own.curve;
    const changed = compare({ curve: first === undefined ? [] : [{ ...first, loss: 9 }, ...rest] });
    expect(changed.rows.at(-1)).toMatchObject({ what: 'curve, from epoch 1 on', same: false });
  });
});

describe('skiplane train --seeds', () => {
  test('has the mean and the sample standard deviation', () => {
    expect(distribution([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({ mean: 5, deviation: Math.sqrt(32 / 7) });
    expect(distribution([0.1, 0.1, 0.1])).toEqual({ mean: 0.1, deviation: 0 });
    expect(distribution([3])).toEqual({ mean: 3, deviation: null });
  });

  test('runs every seed, goes on where it was stopped, and gives the mean', async () => {
    const longer = [...args, '--limit-train', '60', '--epochs', '3', '--seeds', '1,4', '--no-report', '--threads', '1'];
    let sent = false;
    const stopped = await skiplane(['train', ...longer, '--out', out('seeds')], {
      onOutput: (text, child) => {
        const [, second = ''] = text.split('Seed 4 (2 of 2)');
        if (sent || !second.includes('Epoch 1/3')) return;
        sent = true;
        child.kill('SIGINT');
      },
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toContain(`skiplane train --resume --out ${out('seeds')} `);
    const again = await skiplane(['train', ...longer, '--out', out('seeds')]);
    expect(again.stderr).toContain('holds runs already');
    const wrong = await skiplane(['train', '--resume', '--out', out('seeds'), '--epochs', '9']);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('--epochs') as unknown });

    const resumed = await skiplane(['train', '--resume', '--out', out('seeds'), '--threads', '2', '--json']);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toContain('is finished');
    const seeds = jsonLines(resumed.stdout).at(-1) as { accuracy: { mean: number }; results: { seed: number }[] };
    const tests = await Promise.all([card('seeds', 'seed-1'), card('seeds', 'seed-4')]);
    const accuracies = tests.map(({ result }) => result.test?.accuracy ?? Number.NaN);
    expect(seeds.results.map(({ seed }) => seed)).toEqual([1, 4]);
    expect(seeds.accuracy).toEqual(distribution(accuracies));
    expect(JSON.parse(readFileSync(out('seeds', 'seeds.json'), 'utf8'))).toMatchObject({
      seeds: [1, 4],
      summary: { accuracy: seeds.accuracy },
    });
    expect(tests[0]?.weights.last).not.toBe(tests[1]?.weights.last);
    // The one that was stopped has the bits of one that was not.
    const whole = [...longer.filter((word) => word !== '--seeds' && word !== '1,4'), '--seed', '4'];
    await skiplane(['train', ...whole, '--out', out('whole')]);
    expect((await card('whole')).weights).toEqual(tests[1]?.weights);
  }, 120_000);

  test('takes no seed twice, and not --seed as well', async () => {
    const twice = await skiplane(['train', ...args, '--seeds', '1,1']);
    expect(twice).toMatchObject({ code: 2, stderr: expect.stringContaining('only once') as unknown });
    const both = await skiplane(['train', ...args, '--seeds', '1,2', '--seed', '3', '--out', out('both')]);
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('--seed and --seeds') as unknown });
  });
});

describe('skiplane report', () => {
  test('compares several runs on one page', async () => {
    await skiplane(['train', ...args, '--seed', '2', '--no-report', '--out', out('<b>second')]);
    expect(readdirSync(out('<b>second'))).not.toContain('report.html');
    const to = out('both.html');
    const { code, stdout } = await skiplane(['report', out('run'), out('<b>second'), '--to', to, '--backend', 'wasm']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `Report: ${to}\n` });
    const page = readFileSync(to, 'utf8');
    expect(page).toContain('<h1>2 runs</h1>');
    expect(page).toContain('&lt;b&gt;second, validation');
    expect(page).not.toContain('<b>second');
    // Without --no-report it would have been there: the page of the single run needs it.
    expect(readdirSync(out('<b>second'))).toContain('evaluation.json');
  });

  test('says where there is no run', async () => {
    const { code, stderr } = await skiplane(['report', out('nothing')]);
    expect(stderr).toContain('holds no run');
    expect(code).toBe(1);
  });
});
