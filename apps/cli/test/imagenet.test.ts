import {
  elementCount,
  evaluate,
  randomStream,
  uniforms,
  type Backend,
  type Graph,
  type TypedArray,
} from '@skiplane/core';
import { createReferenceBackend } from '@skiplane/core/reference';
import { createGpuBackend } from '@skiplane/kernels-gpu';
import { createWasmBackend } from '@skiplane/kernels-wasm';
import { inferenceGraph, initialParameters, modelConfig, NetworkBuilder, type Parameters } from '@skiplane/resnet';
import { beforeAll, describe, expect, test } from 'vitest';
import { missingGpu } from './gpu.ts';

/** A whole network at 224×224 takes a software adapter minutes: there it is the stem, everywhere else the network too. */
const timeout = 180_000;
const noGpu = await missingGpu();
const backends: readonly {
  readonly name: string;
  readonly open: () => Promise<Backend>;
  readonly missing?: string | undefined;
}[] = [
  { name: 'wasm', open: () => createWasmBackend({ threads: 2 }) },
  { name: 'gpu', open: () => createGpuBackend({ software: 'swiftshader' }), missing: noGpu },
];

/** Eleven million numbers, drawn once. */
const resnet18 = initialParameters(modelConfig('resnet18'), 1);

function pixels(shape: readonly number[]): Float32Array {
  return Float32Array.from(uniforms(randomStream(11, 'pixels'), elementCount(shape)), (u) => 2 * u - 1);
}

/** conv 7×7 of stride 2, batch norm, relu, max pooling of stride 2: as the graph of a network has them. */
function stem(): { readonly graph: Graph; readonly inputs: Record<string, TypedArray> } {
  const net = new NetworkBuilder('stem', { mode: 'inference', batchNorm: { epsilon: 1e-5 } });
  const shape = [1, 224, 224, 3];
  const x = net.build.input('x', { shape, dtype: 'f32' });
  const conv = net.conv2d(x, 'conv', { filters: 64, kernelSize: 7, strides: 2, padding: 'symmetric', bias: false });
  const relu = net.activation(net.batchNorm(conv, 'bn'), 'relu', 'relu');
  net.build.output('y', net.maxPool2d(relu, 'pool', { size: 3, strides: 2, padding: 'symmetric' }));
  const parameters = [...resnet18].flatMap(([name, data]) =>
    name.startsWith('stem/') ? [[name.slice('stem/'.length), data] as const] : [],
  );
  return { graph: net.build.build(), inputs: { ...Object.fromEntries(parameters), x: pixels(shape) } };
}

/** The largest magnitude. */
const scale = (values: ArrayLike<number>): number =>
  Float64Array.from(values).reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);

function largestDifference(actual: TypedArray | undefined, expected: TypedArray | undefined): number {
  if (actual === undefined || actual.length !== expected?.length) return Number.NaN;
  return scale(Float64Array.from(expected, (value, i) => value - (actual[i] ?? Number.NaN)));
}

describe('the ImageNet stem at 224×224', () => {
  const { graph, inputs } = stem();
  let expected: TypedArray | undefined;
  beforeAll(async () => {
    expected = (await evaluate(createReferenceBackend(), graph, inputs))['y'];
  }, timeout);

  test.for(backends)('gives [56, 56, 64] of the oracle on $name', { timeout }, async ({ open, missing }, context) => {
    context.skip(missing !== undefined, missing);
    const backend = await open();
    const { y } = await evaluate(backend, graph, inputs);
    backend.dispose();
    expect(y).toHaveLength(56 * 56 * 64);
    expect(largestDifference(y, expected)).toBeLessThan(2e-5);
  });
});

async function logitsOf(backend: Backend, graph: Graph, parameters: Parameters, size: number): Promise<TypedArray> {
  const x = pixels([1, size, size, 3]);
  const { logits } = await evaluate(backend, graph, { ...Object.fromEntries(parameters), x });
  backend.dispose();
  return logits ?? new Float32Array();
}

describe('whole networks on wasm', () => {
  test.each<[string, number, Parameters?]>([
    ['resnet18', 32, resnet18],
    ['he11v2', 32],
  ])(
    '%s follows the oracle at %i pixels square',
    async (name, size, given) => {
      const config = modelConfig(name, { imageSize: [size, size] });
      const { graph } = inferenceGraph(config, { batch: 1 });
      const parameters = given ?? initialParameters(config, 1);
      const expected = await logitsOf(createReferenceBackend(), graph, parameters, size);
      const actual = await logitsOf(await createWasmBackend({ threads: 2 }), graph, parameters, size);
      expect(largestDifference(actual, expected)).toBeLessThan(1e-4 * scale(expected));
    },
    timeout,
  );

  test(
    'resnet18 at 224×224: Winograd agrees with direct convolutions',
    async () => {
      const { graph } = inferenceGraph(modelConfig('resnet18'), { batch: 1 });
      const logits = await logitsOf(await createWasmBackend({ threads: 2 }), graph, resnet18, 224);
      const direct = await logitsOf(await createWasmBackend({ threads: 2, conv: 'direct' }), graph, resnet18, 224);
      expect(logits).toHaveLength(1000);
      expect([...logits].every(Number.isFinite)).toBe(true);
      expect(largestDifference(logits, direct)).toBeLessThan(1e-4 * scale(direct));
    },
    timeout,
  );
});
