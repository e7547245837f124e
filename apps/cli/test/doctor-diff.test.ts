import type { Backend, Graph, Op } from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import { createPreprocessing, initialParameters, modelConfig, syntheticDataset } from '@skiplane/resnet';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { compareOps, type Side } from '../src/doctor/diff/compare-ops.ts';
import { compareOutputs, groupOutputs } from '../src/doctor/diff/end-to-end.ts';
import type { OpOutcome } from '../src/doctor/diff/judge.ts';
import { checkpointPrograms, newPrograms, type DiffProgram } from '../src/doctor/diff/programs.ts';
import { reportDiff } from '../src/doctor/diff/run.ts';
import { skiplane } from './cli.ts';

const model = modelConfig('resnet8v1', { imageSize: [8, 8] });
const draw = { batch: 2, seed: 1 };
const [training] = newPrograms(model, draw) as readonly [DiffProgram];

vi.setConfig({ testTimeout: 120_000 });

const opened: Backend[] = [];
let wasm: Backend;
beforeAll(async () => {
  wasm = await createWasmBackend({ threads: 1 });
  opened.push(wasm);
});
afterAll(() => opened.forEach((backend) => backend.dispose()));

const reference: Side = { name: 'reference', backend: createReferenceBackend() };

/** The wasm backend with a wrong kernel: it computes another op than the one it is given, wherever `change` says so. */
function planted(change: (op: Op) => Op): Side {
  const rewrite = (graph: Graph): Graph => ({ ...graph, ops: graph.ops.map(change) });
  const backend: Backend = {
    name: wasm.name,
    info: wasm.info,
    tensor: (spec, data) => wasm.tensor(spec, data),
    compile: (graph, bindings, options) => wasm.compile(rewrite(graph), bindings, options),
    dispose: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
  return { name: 'planted', backend };
}

const wrongConv = (label: string) => (op: Op) =>
  op.kind === 'conv2d' && op.label === label
    ? ({ ...op, attrs: { ...op.attrs, activation: 'relu' } } satisfies Op<'conv2d'>)
    : op;

const wrongAdam = (op: Op): Op =>
  op.kind === 'adam' ? ({ ...op, attrs: { ...op.attrs, beta2: 0.99 } } satisfies Op<'adam'>) : op;

const wrongEpsilon = (op: Op): Op =>
  op.kind === 'batchNormTraining'
    ? ({ ...op, attrs: { ...op.attrs, epsilon: 1.1e-3 } } satisfies Op<'batchNormTraining'>)
    : op;

const outside = (outcomes: readonly OpOutcome[]): readonly OpOutcome[] =>
  outcomes.filter(({ worst }) => worst !== null);
const noProgress = (): void => undefined;

describe('two right backends', () => {
  test('stay within their bounds in every op, forward, backward and update', async () => {
    const outcomes = await compareOps([{ name: 'wasm', backend: wasm }, reference], training, noProgress);
    expect(outside(outcomes)).toEqual([]);
    expect(outcomes.filter(({ undecided }) => undecided !== null)).toEqual([]);
    const kinds = new Set(outcomes.map(({ kind }) => kind));
    for (const kind of ['conv2d', 'batchNormGrad', 'conv2dBackpropFilter', 'adam', 'assignAdd']) {
      expect(kinds).toContain(kind);
    }
    expect(outcomes.every(({ kernels }) => kernels.every((some) => some.length > 0))).toBe(true);
    expect(Math.max(...outcomes.flatMap(({ ratios }) => ratios))).toBeGreaterThan(0.1);
  });

  test('whichever of them is the first', async () => {
    const outcomes = await compareOps([reference, { name: 'wasm', backend: wasm }], training, noProgress);
    expect(outside(outcomes)).toEqual([]);
  });

  test('end as near to each other as rounding lets them', async () => {
    const outputs = await compareOutputs([{ name: 'wasm', backend: wasm }, reference], training);
    const groups = new Map(groupOutputs(outputs).map((group) => [group.name, group]));
    expect([...groups.keys()]).toEqual(expect.arrayContaining(['filter', 'optimizer/m', 'optimizer/v', 'loss']));
    expect(groups.get('correct')).toMatchObject({ tensors: 1, together: 0 });
    expect(groups.get('optimizer/m')?.together).toBeLessThan(1e-5);
    expect(groups.get('optimizer/m')?.together).toBeGreaterThan(0);
  });

  test('compare inference with the weights of a checkpoint too', async () => {
    const preprocessing = createPreprocessing(syntheticDataset({ count: 20, seed: 1, split: 'train', size: 8 }));
    const parameters = initialParameters(model, 2);
    const programs = checkpointPrograms({ model, parameters, preprocessing, classNames: [], training: null }, draw);
    expect(programs.map(({ name }) => name)).toEqual(['a training step', 'inference']);
    const outcomes = await compareOps(
      [{ name: 'wasm', backend: wasm }, reference],
      programs[1] ?? training,
      noProgress,
    );
    expect(outside(outcomes)).toEqual([]);
    expect(outcomes.map(({ kind }) => kind)).toContain('softmax');
  });
});

describe('a wrong kernel', () => {
  test.each(['first', 'second'])(
    'is found by its op when the %s backend has it, and no other op is blamed',
    async (place) => {
      const wrong = planted(wrongConv('stage2/block1/conv1'));
      const sides = place === 'first' ? ([wrong, reference] as const) : ([reference, wrong] as const);
      const found = outside(await compareOps(sides, training, noProgress));
      expect(found).toMatchObject([
        { kind: 'conv2d', label: 'stage2/block1/conv1', worst: { result: 'y', side: place === 'first' ? 0 : 1 } },
      ]);
      const [{ worst, kernels }] = found as readonly [OpOutcome];
      expect(kernels[worst?.side ?? 0]?.[0]).toMatch(/^conv2d\..*simd$/u);
      // A relu that should not be there: the element that is farthest off is the most negative one.
      expect(worst?.values[worst.side]).toBe(0);
      expect(worst?.oracle).toBeLessThan(0);
      expect(worst?.index).toHaveLength(4);
    },
  );

  test('is found among updates of state, of which the operands are those of before', async () => {
    const found = outside(await compareOps([planted(wrongAdam), reference], training, noProgress));
    expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(['adam']));
    expect(found[0]?.worst).toMatchObject({ side: 0, result: 'v' });
  });

  test('shows even where it is off by little: an epsilon of 1.1e-3 for 1e-3', async () => {
    const found = outside(await compareOps([reference, planted(wrongEpsilon)], training, noProgress));
    expect(found[0]).toMatchObject({ kind: 'batchNormTraining', label: 'stem/bn', position: 2 });
  });

  test('is printed with all it takes to find it, and exit code 1', async () => {
    const lines: string[] = [];
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
    const wrong = planted(wrongConv('stage2/block1/conv1'));
    const settings = { model: 'resnet8v1', ...draw };
    const code = await reportDiff([reference, wrong], [training], { ...settings, json: false });
    const text = lines.splice(0).join('');
    const jsonCode = await reportDiff([reference, wrong], [training], { ...settings, json: true });
    write.mockRestore();
    expect([code, jsonCode]).toEqual([1, 1]);
    expect(text).toMatch(/^conv2d +9 +\d.* OUTSIDE$/mu);
    expect(text).toMatch(/^planted leaves its bound first in op \d+, conv2d 'stage2\/block1\/conv1':$/mu);
    expect(text).toMatch(/^ {2}result +y \[2,4,4,32\], \d+ of 1024 elements are outside$/mu);
    expect(text).toMatch(/^ {2}planted +0 +conv2d\.\S+simd, error\/bound \d/mu);
    expect(text).toMatch(/^ {2}bound +\d\.\d\de-\d+, and planted is off by \d/mu);
    expect(text).toMatch(/^ {2}reference +-\d\S* +conv2d\.reference, error\/bound 0\.\d/mu);
    expect(JSON.parse(lines.join(''))).toMatchObject({
      ok: false,
      programs: [{ outside: [{ label: 'stage2/block1/conv1', worst: { side: 1 } }] }],
    });
  });
});

describe('skiplane doctor --diff', () => {
  test('exits with 0 when all ops are within their bounds', async () => {
    const args = ['doctor', '--diff', 'wasm', 'reference', '--model', 'resnet8v1', '--batch', '1', '--threads', '1'];
    const { code, stdout } = await skiplane(args);
    expect(stdout).toMatch(/^All \d+ ops are within their bounds on both backends\.$/mu);
    expect(code).toBe(0);
  });

  test.each([
    [['--diff', 'wasm'], /takes two different ones/u],
    [['--diff', 'wasm', 'wasm'], /takes two different ones/u],
    [['--diff', 'wasm', 'gpu', 'reference'], /takes two different ones/u],
    [['--diff', 'wasm', 'cuda'], /Allowed choices are wasm, gpu, reference/u],
    [['--diff', 'wasm', 'reference', '--gpu', 'software'], /option '--gpu' is for gpu/u],
    [['--diff', 'gpu', 'reference', '--threads', '2'], /option '--threads' is for wasm/u],
    [['--diff', 'wasm', 'reference', '--model', 'resnet8v1', '--weights', 'x'], /'--model' is of no use/u],
    [['--batch', '4'], /option '--batch' is for '--diff/u],
  ])('refuses %j', async (options, message) => {
    const { code, stderr } = await skiplane(['doctor', ...options]);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});
