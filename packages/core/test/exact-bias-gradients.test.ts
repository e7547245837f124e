import { describe, expect, it } from 'vitest';
import { evaluate, fuse, gradients, GraphBuilder, type Graph, type ValueId } from '../src/index.ts';
import { createReferenceBackend } from '../src/reference/index.ts';

const f32 = (...shape: number[]) => ({ shape, dtype: 'f32' }) as const;

interface Options {
  /** Size of the second convolution's filter: only 1×1 passes a balanced gradient on. */
  readonly size: 1 | 3;
  readonly relu: boolean;
}

/** Two convolutions with biases, the second on top of the first, an addition, and a batch norm at the end. */
function network({ size, relu }: Options): { graph: Graph; biases: readonly string[] } {
  const build = new GraphBuilder('biases');
  const pad = (size - 1) / 2;
  const conv = (name: string, x: ValueId, filter: number): ValueId => {
    const padding = { top: pad, bottom: pad, left: pad, right: pad };
    const window = {
      strides: [1, 1],
      padding: filter === 1 ? { top: 0, bottom: 0, left: 0, right: 0 } : padding,
    } as const;
    const y = build.op('conv2d', [x, build.input(`${name}/filter`, f32(filter, filter, 2, 2))], {
      window,
      bias: false,
      residual: false,
      activation: 'none',
    });
    return build.op('biasAdd', [y, build.input(`${name}/bias`, f32(2))], {});
  };
  const first = conv('first', build.input('x', f32(2, 4, 4, 2)), 1);
  const sum = build.op('add', [conv('second', relu ? build.op('relu', [first], {}) : first, size), first], {});
  const statistics = ['gamma', 'beta', 'movingMean', 'movingVariance'].map((name) => build.input(name, f32(2)));
  const y = build.op('batchNormTraining', [sum, ...statistics], {
    epsilon: 1e-3,
    momentum: 0.9,
    movingVariance: 'biased',
    residual: false,
    activation: 'none',
  });
  const loss = build.op('reduceSum', [build.op('multiply', [y, build.op('sigmoid', [y], {})], {})], {});
  const biases = ['first/bias', 'second/bias'];
  const built = build.build();
  const ids = biases.map((name) => built.values.find((value) => value.name === name)?.id ?? -1);
  const extended = gradients(built, loss, ids);
  const named = new GraphBuilder('biases', extended.graph);
  extended.gradients.forEach((id, i) => named.output(`d/${biases[i]}`, id));
  return { graph: named.build(), biases };
}

function wave(length: number, phase: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(i * 1.7 + phase));
}

/** Whether the fused graph has a constant as the gradient of each bias. */
function constants(graph: Graph): readonly boolean[] {
  const fused = fuse(graph);
  return ['d/first/bias', 'd/second/bias'].map((name) => {
    const id = fused.values.find((value) => value.name === name)?.id ?? -1;
    return fused.ops.find((op) => op.outputs.includes(id))?.kind === 'fill';
  });
}

describe('exactBiasGradients', () => {
  it.each([
    [{ size: 1, relu: false }, [true, true]],
    // The border of a 3×3 window sees fewer taps, and a relu lets part of the gradient through.
    [{ size: 3, relu: false }, [false, true]],
    [{ size: 1, relu: true }, [false, true]],
  ] as const)('with %o replaces just the gradients that are zero', async (options, expected) => {
    const { graph, biases } = network(options);
    expect(constants(graph)).toEqual(expected);
    const inputs = Object.fromEntries(
      graph.values.flatMap((value) =>
        value.name === undefined || value.name.startsWith('d/')
          ? []
          : [
              [
                value.name,
                wave(
                  value.shape.reduce((a, b) => a * b, 1),
                  value.id,
                ),
              ],
            ],
      ),
    );
    const computed = await evaluate(createReferenceBackend(), graph, inputs, { fuse: false });
    biases.forEach((name, i) => {
      const largest = Math.max(...(computed[`d/${name}`] as Float32Array).map(Math.abs));
      if (expected[i]) expect(largest).toBeLessThan(1e-13);
      else expect(largest).toBeGreaterThan(1e-4);
    });
  });
});
