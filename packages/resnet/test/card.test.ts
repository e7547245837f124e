import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FormatError, ValueError } from '@skiplane/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { datasetIdentity, parametersIdentity, train } from '../src/index.ts';
import {
  loadCheckpoint,
  readCard,
  readLog,
  resultsCard,
  RunDirectory,
  writeCard,
  type CardFacts,
  type CurvePoint,
} from '../src/node/index.ts';
import { tinyOptionsByRecipe, tinyTrain, tinyValidation } from './support/tiny.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skiplane-card-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const info = { device: 'wasm simd, 2 threads', threads: 2, features: ['simd'], limits: {}, downgrades: [] };
const facts: CardFacts = {
  backend: { name: 'wasm', info },
  train: tinyTrain,
  test: tinyValidation,
  data: { source: 'synthetic', limitTrain: 11, limitTest: null },
  versions: { skiplane: '0.1.0', build: 'a'.repeat(64) },
};
const options = (epochs: number) => tinyOptionsByRecipe('keras', { epochs, batchSize: 4, saveSeconds: 1e9 });

async function trainInto(run: RunDirectory, epochs: number): Promise<void> {
  for await (const event of train({ ...options(epochs), checkpoint: run.checkpoint })) await run.record(event);
}

describe('a results card', () => {
  it('says what a run was and what came out, and comes back from its file', async () => {
    await trainInto(await RunDirectory.create(folder), 2);
    const card = await resultsCard(folder, facts);
    const path = join(folder, 'card.json');
    await writeCard(path, card);
    expect(await readCard(path)).toEqual(card);
    const { parameters, training } = await loadCheckpoint(join(folder, 'last.safetensors'));
    expect(card.weights.last).toBe(await parametersIdentity(parameters));
    expect(card.data.train).toEqual({ name: tinyTrain.name, count: 11, sha256: await datasetIdentity(tinyTrain) });
    expect(card.recipe).toEqual(training?.settings.recipe);
    expect(card.result).toMatchObject({ epochs: 2, test: training?.end?.test, best: training?.best });
    expect(card.curve).toMatchObject(training?.history ?? []);
    expect(card.curve.every(({ timing }) => timing !== null && timing.time > 1.6e9)).toBe(true);
  });

  it.each(['time', 'epoch'] as const)('is not made of a run that is at a checkpoint by %s', async (reason) => {
    const run = await RunDirectory.create(folder);
    for await (const event of train({ ...options(2), saveSeconds: 0 })) {
      await run.record(event);
      if (event.type === 'checkpoint' && event.reason === reason) break;
    }
    await expect(resultsCard(folder, facts)).rejects.toThrow(ValueError);
  });

  it('says all that is wrong with a file', async () => {
    const path = join(folder, 'card.json');
    await writeFile(path, '{"format":"skiplane-card","version":1,"seed":-1}');
    const error = await readCard(path).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FormatError);
    for (const part of ['seed: ', 'recipe is missing', 'weights is missing', path])
      expect((error as FormatError).message).toContain(part);
    await writeFile(path, '{"format":"skiplane-seeds"}');
    await expect(readCard(path)).rejects.toThrow("it has no format 'skiplane-card'");
    await writeFile(path, '{');
    await expect(readCard(path)).rejects.toThrow('no JSON text');
  });
});

describe('parametersIdentity', () => {
  it('is that of the bits and of the names, whatever the order', async () => {
    const values = new Map([
      ['a', Float32Array.of(1, 2)],
      ['b', Float32Array.of(0)],
    ]);
    const identity = await parametersIdentity(values);
    expect(identity).toMatch(/^[0-9a-f]{64}$/);
    expect(await parametersIdentity(new Map([...values].toReversed()))).toBe(identity);
    for (const [name, value] of [
      ['b', Float32Array.of(-0)],
      ['a', Float32Array.of(1, 2 + 2 ** -22)],
      ['c', Float32Array.of(0)],
    ] as const) {
      expect(await parametersIdentity(new Map(values).set(name, value))).not.toBe(identity);
    }
  });
});

describe('the log of a run', () => {
  it('adds up the time of its processes and names what they computed on', async () => {
    await trainInto(await RunDirectory.create(folder), 1);
    const once = await readLog(folder, await loadCheckpoint(join(folder, 'last.safetensors')));
    const pause = 1000;
    await new Promise((resolve) => setTimeout(resolve, pause));
    const start = performance.now();
    await trainInto(await RunDirectory.resume(folder), 2);
    const took = (performance.now() - start) / 1000;
    const twice = await readLog(folder, await loadCheckpoint(join(folder, 'last.safetensors')));
    expect(once.seconds).toBeGreaterThan(0);
    // The pause between the two does not count.
    expect(twice.seconds).toBeLessThan(once.seconds + took + 0.01);
    expect(twice.seconds).toBeGreaterThan(once.seconds);
    expect([...twice.timings.keys()]).toEqual([1, 2]);
    expect(twice.timings.get(1)).toEqual(once.timings.get(1));
    expect(twice.devices).toEqual(once.devices);
    expect(twice.devices).toHaveLength(1);
  });
});

describe('a sink of a run', () => {
  it('is told of every epoch once it is saved, and of those before it when the run goes on', async () => {
    const calls: string[] = [];
    const told = (what: string, curve: readonly CurvePoint[]): Promise<void> => {
      calls.push(`${what} ${curve.map(({ epoch }) => epoch).join()}`);
      return Promise.resolve();
    };
    const sinks = [
      (path: string) => ({
        open: async (curve: readonly CurvePoint[]) => {
          expect(path).toBe(folder);
          await told('open', curve);
        },
        add: async (curve: readonly CurvePoint[]) => {
          const { training } = await loadCheckpoint(join(folder, 'last.safetensors'));
          expect(training?.epochsDone).toBe(curve.length);
          await told('add', curve);
        },
      }),
    ];
    await trainInto(await RunDirectory.create(folder, sinks), 2);
    await trainInto(await RunDirectory.resume(folder, sinks), 3);
    expect(calls).toEqual(['open ', 'add 1', 'add 1,2', 'open 1,2', 'add 1,2,3']);
  });
});
