import { evaluate, GraphBuilder, type Backend } from '@skiplane/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWasmBackend } from '../src/index.ts';

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;
/** Just above the least normal float, 1.18e-38: any decay of it is subnormal. */
const tiny = 1.2e-38;

function filled(value: number): Float32Array {
  return new Float32Array(5).fill(value);
}

describe('subnormals never reach memory', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createWasmBackend({ threads: 1 });
  });
  afterAll(() => backend.dispose());

  it('in the moments of Adam, which decay towards zero', async () => {
    const build = new GraphBuilder('adam');
    const [parameter, m, v, gradient] = ['parameter', 'm', 'v', 'gradient'].map((name) =>
      build.input(name, f32(5)),
    ) as [number, number, number, number];
    const stepSize = build.input('stepSize', f32());
    build.op('adam', [parameter, m, v, gradient, stepSize], { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 });
    const inputs = {
      parameter: filled(1),
      m: filled(tiny),
      v: filled(tiny * 0.98),
      gradient: filled(0),
      stepSize: Float32Array.of(1e-3),
    };
    const { parameter: updated, m: first, v: second } = await evaluate(backend, build.build(), inputs);
    expect([first, second]).toEqual([filled(0), filled(0)]);
    expect(updated).toEqual(filled(1));
  });

  it('in the momentum of gradient descent, which decays towards zero', async () => {
    const build = new GraphBuilder('sgdMomentum');
    const [parameter, m, gradient] = ['parameter', 'm', 'gradient'].map((name) => build.input(name, f32(5))) as [
      number,
      number,
      number,
    ];
    const learningRate = build.input('learningRate', f32());
    build.op('sgdMomentum', [parameter, m, gradient, learningRate], { momentum: 0.9, nesterov: true });
    const inputs = {
      parameter: filled(1),
      m: filled(tiny),
      gradient: filled(0),
      learningRate: Float32Array.of(1e-3),
    };
    const { parameter: updated, m: next } = await evaluate(backend, build.build(), inputs);
    expect(next).toEqual(filled(0));
    expect(updated).toEqual(filled(1));
  });

  it.each(['direct', 'winograd'] as const)('in dying gradients of a %s convolution', async (conv) => {
    using strict = await createWasmBackend({ threads: 1, conv });
    const build = new GraphBuilder('conv');
    const padding = { top: 1, bottom: 1, left: 1, right: 1 };
    const window = { strides: [1, 1], padding } as const;
    const [filter, dy, x] = [
      build.input('filter', f32(3, 3, 16, 16)),
      build.input('dy', f32(1, 8, 8, 16)),
      build.input('x', f32(1, 8, 8, 16)),
    ];
    const attrs = { window, inputSize: [8, 8], residual: false, activationGrad: 'none' } as const;
    build.output('dx', build.op('conv2dBackpropInput', [filter, dy], attrs));
    build.output('dFilter', build.op('conv2dBackpropFilter', [x, dy], { window, filterSize: [3, 3] }));
    const inputs = {
      filter: new Float32Array(9 * 256).fill(1e-5),
      dy: new Float32Array(1024).map((_, i) => (i % 7 === 0 ? 1e-36 : 0)),
      x: new Float32Array(1024).fill(1e-5),
    };
    const { dx, dFilter } = await evaluate(strict, build.build(), inputs);
    for (const result of [dx, dFilter]) {
      expect(result?.every((value) => value === 0 || Math.abs(value) >= 2 ** -126)).toBe(true);
    }
  });
});
