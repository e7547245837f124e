import { inputValues, type Backend, type Graph } from '@skiplane/core';
import { lossGraph, modelConfig } from '@skiplane/resnet';
import { afterAll, expect, test } from 'vitest';
import { runGraph, type Data } from '../src/doctor/run-graph.ts';
import { candidates, closeAll, everything, opened } from './keras/candidates.ts';
import type { KerasModel } from './keras/fixtures.ts';
import { batchOf, parametersOf } from './keras/formula.ts';

afterAll(closeAll);

/** What each ReLU is given in the first training step of the fixtures, by its name. */
async function beforeRelus(backend: Backend, model: KerasModel): Promise<Data> {
  const { graph, parameters } = lossGraph(modelConfig(model), { batch: 32 });
  const relus = new Map(graph.ops.flatMap(({ kind, label, inputs }) => (kind === 'relu' ? [[inputs[0], label]] : [])));
  const values = graph.values.map((value) => {
    const name = relus.get(value.id);
    return name === undefined ? value : { ...value, name };
  });
  const { images, labels } = batchOf('step0', 32);
  const given = new Map<string, Float32Array>([...parametersOf(parameters), ['x', images], ['labels', labels]]);
  const named: Graph = { ...graph, values };
  expect(inputValues(named).every(({ name = '' }) => given.has(name))).toBe(true);
  const run = await runGraph(backend, named, given);
  return new Map([...run.values].filter(([name]) => !given.has(name)));
}

/** The elements that `wasm direct` has on the other side of a ReLU than the float64 oracle. */
async function switched(model: KerasModel): Promise<readonly object[]> {
  const [oracle, own] = await Promise.all(
    ['reference', 'wasm direct'].map(async (wanted) => {
      const candidate = candidates.find((one) => one.name === wanted);
      if (candidate === undefined) throw new Error(`there is no candidate '${wanted}'`);
      return await beforeRelus(await opened(candidate), model);
    }),
  );
  return [...(oracle ?? [])].flatMap(([relu, in64]) => {
    const in32 = own?.get(relu) ?? [];
    return Array.from(in64, (value, element) => ({ relu, element, in64: value, in32: Number(in32[element]) })).filter(
      (one) => one.in64 > 0 !== one.in32 > 0,
    );
  });
}

/** The bits of `wasm direct` are the same on every machine, so that these are, too: see docs/keras.md. */
test.runIf(everything)('the ReLUs that float32 has on the other side', { timeout: 300_000 }, async () => {
  expect(await switched('resnet8v1')).toEqual([
    { relu: 'stage1/block1/relu', element: 292_134, in64: 3.695302552841895e-7, in32: -9.685754776000977e-8 },
  ]);
  expect(await switched('resnet11v2')).toEqual([
    { relu: 'stage2/block1/relu1', element: 685_581, in64: -2.3164946583165147e-7, in32: 2.905726432800293e-7 },
  ]);
});
