import { opKinds } from '@skiplane/core';
import { expect, test } from 'vitest';
import { skiplane } from './cli.ts';

interface Report {
  readonly healthy: boolean;
  readonly machine: { readonly node: string };
  readonly backends: readonly {
    readonly name: string;
    readonly runs: boolean;
    readonly threads: number;
    readonly checks: readonly { readonly op: string; readonly ok: boolean }[];
  }[];
}

test('skiplane doctor checks every operation', async () => {
  const { code, stdout } = await skiplane(['doctor', '--json', '--threads', '2']);
  const { healthy, machine, backends } = JSON.parse(stdout) as Report;
  expect(machine.node).toBe(process.versions.node);
  expect(backends.map(({ name }) => name)).toEqual(['wasm', 'gpu', 'reference']);
  // Not every machine has a GPU.
  expect(backends.filter(({ name, runs }) => name !== 'gpu' && !runs)).toEqual([]);
  expect(backends.flatMap(({ checks }) => checks.filter(({ ok }) => !ok))).toEqual([]);
  expect(backends[0]?.threads).toBe(2);
  expect(backends[0]?.checks.map(({ op }) => op)).toEqual(opKinds);
  expect({ code, healthy }).toEqual({ code: 0, healthy: true });
});

test('and prints what it finds', async () => {
  const { stdout } = await skiplane(['doctor']);
  expect(stdout).toMatch(/^Node \d+/);
  for (const text of ['Backend wasm: wasm', 'conv2dBackpropFilter', 'All is well.']) expect(stdout).toContain(text);
});
