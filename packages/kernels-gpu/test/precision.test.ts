import {
  evaluate,
  gradients,
  GraphBuilder,
  samePadding,
  UnsupportedError,
  window2d,
  type Backend,
  type Graph,
  type TypedArray,
  type ValueId,
} from '@skiplane/core';
import { afterAll, describe, expect, test } from 'vitest';
import { openDevice } from '../src/device.ts';
import { createGpuBackend, type Precision } from '../src/index.ts';
import { bind, f32 } from './support/graphs.ts';
import { softwareDrivers } from './software.ts';

/** LLVM takes seconds to compile some kernels. */
const patience = 600_000;

const size = 8;
const channels = 8;
const window = (stride: number) => window2d(stride, samePadding([size, size], [3, 3], [stride, stride]));
const wave = (length: number, phase: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(1.7 * i + phase) / 2);

/** The loss of a small residual net and its gradients, by the names of the parameters. */
function network(batch: number): Graph {
  const build = new GraphBuilder('network');
  const conv = (x: ValueId, name: string, inChannels: number, stride = 1): ValueId => {
    const filter = build.input(name, f32(3, 3, inChannels, channels));
    return build.op('conv2d', [x, filter], {
      window: window(stride),
      bias: false,
      residual: false,
      activation: 'none',
    });
  };
  const norm = (x: ValueId, name: string): ValueId => {
    const statistics = ['gamma', 'beta', 'mean', 'variance'].map((of) => build.input(`${name}/${of}`, f32(channels)));
    const attrs = {
      epsilon: 1e-3,
      momentum: 0.9,
      movingVariance: 'biased',
      residual: false,
      activation: 'none',
    } as const;
    return build.opOutputs('batchNormTraining', [x, ...statistics], attrs)[0] as ValueId;
  };
  const first = build.op('relu', [norm(conv(build.input('x', f32(batch, size, size, 3)), 'a', 3), 'na')], {});
  const second = build.op('relu', [build.op('add', [first, norm(conv(first, 'b', channels), 'nb')], {})], {});
  const half = { ...window2d(2, { top: 0, bottom: 0, left: 0, right: 0 }), size: [2, 2] } as const;
  const pooled = build.op('maxPool2d', [conv(second, 'c', channels)], { window: half });
  const whole = { ...half, strides: [4, 4], size: [4, 4] } as const;
  const flat = build.op('reshape', [build.op('averagePool2d', [pooled], { window: whole })], {
    shape: [batch, channels],
  });
  const dense = build.input('dense', f32(channels, 5));
  const logits = build.op('matMul', [flat, dense], { transposeA: false, transposeB: false });
  const losses = build.op('softmaxCrossEntropy', [logits, build.input('labels', f32(batch, 5))], {
    labelSmoothing: 0,
  });
  const loss = build.op('reduceSum', [losses], {});
  const graph = build.build();
  const names = ['a', 'b', 'c', 'na/gamma', 'nb/beta', 'dense'];
  const wrt = names.map((name) => graph.values.find((value) => value.name === name)?.id ?? -1);
  const backward = gradients(graph, loss, wrt);
  const result = new GraphBuilder('network', backward.graph);
  const copy = (name: string, id: ValueId) => result.output(name, result.op('affine', [id], { scale: 1, offset: 0 }));
  copy('loss', loss);
  names.forEach((name, i) => copy(`d/${name}`, backward.gradients[i] ?? -1));
  return result.build();
}

const dataOf = (graph: Graph): Record<string, Float32Array> =>
  Object.fromEntries(
    graph.values
      .filter(({ name }) => name !== undefined && name !== 'loss' && !name.startsWith('d/'))
      .map(({ name = '', shape }, phase) => {
        const data = wave(
          shape.reduce((a, b) => a * b, 1),
          phase,
        );
        return [name, name.endsWith('variance') || name.endsWith('gamma') ? data.map((value) => value + 1) : data];
      }),
  );

const norm = (values: readonly number[]): number => Math.hypot(...values);

/** ‖actual − expected‖ / ‖expected‖. */
function relativeError(actual: TypedArray, expected: TypedArray): number {
  return norm([...actual].map((value, i) => value - (expected[i] ?? 0))) / norm([...expected]);
}

/** Activations through a value that is held as f16. */
async function throughHalf(backend: Backend, values: readonly number[]): Promise<readonly number[]> {
  const build = new GraphBuilder('through half');
  const x = build.input('x', f32(1, 1, values.length, 1));
  const one = { ...window2d(1, { top: 0, bottom: 0, left: 0, right: 0 }), size: [1, 1] } as const;
  const held = build.op('averagePool2d', [x], { window: one });
  build.output('y', build.op('affine', [held], { scale: 1, offset: 0 }));
  const { y = new Float32Array() } = await evaluate(backend, build.build(), { x: Float32Array.from(values) });
  return [...y];
}

describe.each(await softwareDrivers())("precision 'f16' on $software", async ({ software }) => {
  const { device, features, name } = await openDevice({ software });
  device.destroy();
  const has = features.includes('shader-f16');
  if (!has) console.log(`gpu on ${software}: f16 left out, since the adapter has no shader-f16`);

  const open = async (precision: Precision) => (has ? createGpuBackend({ software, precision }) : undefined);

  test.runIf(!has)('is refused by name', async () => {
    const problem: unknown = await createGpuBackend({ software, precision: 'f16' }).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(UnsupportedError);
    expect(String(problem)).toContain(`the adapter '${name}' does not have: use 'f32'`);
  });

  describe.runIf(has)('where the adapter has it', async () => {
    const backends = { f32: await open('f32'), f16: await open('f16') };
    afterAll(() => Object.values(backends).forEach((backend) => backend?.dispose()), patience);
    const graph = network(3);
    const data = dataOf(graph);

    test(
      'is near f32, and stays within its operands',
      async () => {
        const { f32: exact, f16: half } = backends;
        if (exact === undefined || half === undefined) throw new Error('no backend');
        const expected = await evaluate(exact, graph, data);
        const actual = await evaluate(half, graph, data, { guard: true });
        const errors = Object.entries(expected)
          .filter(([result]) => result === 'loss' || result.startsWith('d/'))
          .map(([result, values]) => [result, relativeError(actual[result] ?? new Float32Array(), values)] as const);
        expect(errors).toHaveLength(7);
        expect(errors.filter(([, error]) => !(error < 1e-2))).toEqual([]);
        expect(errors.some(([, error]) => error > 1e-6)).toBe(true);
      },
      patience,
    );

    test('is reported, and takes about half of the memory', async () => {
      const { f32: exact, f16: half } = backends;
      if (exact === undefined || half === undefined) throw new Error('no backend');
      // Guarded programs share no memory, neither with workspaces nor over time: these are the bytes of the values.
      using single = await exact.compile(graph, bind(exact, graph), { guard: true });
      using program = await half.compile(graph, bind(half, graph), { guard: true });
      expect(half.info.features).toContain('f16-activations');
      expect(exact.info.features).not.toContain('f16-activations');
      expect(program.report.arenaBytes / single.report.arenaBytes).toBeLessThan(0.6);
      const kernels = (kind: string) => program.report.ops.filter((op) => op.kind === kind).flatMap((op) => op.kernels);
      expect(kernels('conv2d').every((kernel) => kernel.endsWith('.f16'))).toBe(true);
      expect(kernels('softmaxCrossEntropy')).toEqual(['softmax-cross-entropy']);
    });

    test('rounds to f16, and what is too large to infinity', async () => {
      const { f16 } = backends;
      if (f16 === undefined) throw new Error('no backend');
      const values = [1, 1 + 2 ** -10, 65504, -65504, 65520, -1e9, 2 ** -24, 2 ** -30, Number.NaN];
      const held = [1, 1 + 2 ** -10, 65504, -65504, Infinity, -Infinity, 2 ** -24, 0, Number.NaN];
      expect(await throughHalf(f16, values)).toEqual(held);
    });
  });
});
