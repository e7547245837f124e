import type { GraphBuilder } from '../builder.ts';
import { GraphError } from '../errors.ts';
import type { ValueId } from '../graph.ts';
import type { TensorSpec } from '../tensor.ts';
import { perElement } from './cost.ts';
import { channelsOf, expectShape, f32, notDifferentiable, operand } from './infer.ts';
import type { OpDef } from './op-def.ts';

function checkOperands(inputs: readonly TensorSpec[], names: readonly string[], residual: boolean): TensorSpec {
  const x = operand(inputs, 0, 'x');
  const channels = channelsOf(x, 'x');
  names.forEach((name, i) => expectShape(operand(inputs, i + 1, name), name, [channels], 'like the channels of x'));
  if (residual) expectShape(operand(inputs, names.length + 1, 'residual'), 'residual', x.shape, 'like x');
  return x;
}

/** [γ, β, mean, variance] of an inference batch norm that only scales: y = x·gamma/√(variance + ε). */
function scaleOnly(build: GraphBuilder, gamma: ValueId, variance: ValueId): [ValueId, ValueId, ValueId, ValueId] {
  const zero = build.op('fill', [], { shape: build.spec(gamma).shape, value: 0 });
  return [gamma, zero, zero, variance];
}

/**
 * Batch normalization with the statistics of the batch, and an optional epilogue; updates the moving statistics.
 *
 * y = activation(gamma·(x − mean)·inverseStd + beta + residual), mean and biased variance over all axes but channels,
 * inverseStd = 1/√(variance + epsilon); moving ← momentum·moving + (1 − momentum)·batch statistic,
 * the variance first multiplied by N/max(N − 1, 1) when `movingVariance` is 'unbiased'.
 *
 * @shape x              […, channels]
 * @shape gamma, beta, movingMean, movingVariance  [channels]
 * @shape residual       like x, when `residual`
 * @shape returns        y like x; mean, inverseStd [channels]; movingMean, movingVariance updated in place
 * @bound  that of its parts: see `reference/bound/batch-norm.ts`
 * @source Ioffe & Szegedy 2015, algorithm 1; Keras 3 BatchNormalization
 */
export const batchNormTraining: OpDef<'batchNormTraining'> = {
  kind: 'batchNormTraining',
  operands: ({ residual }) => ['x', 'gamma', 'beta', 'movingMean', 'movingVariance', ...(residual ? ['residual'] : [])],
  results: ['y', 'mean', 'inverseStd', 'movingMean', 'movingVariance'],
  infer(inputs, { residual }) {
    const x = checkOperands(inputs, ['gamma', 'beta', 'movingMean', 'movingVariance'], residual);
    const channels = f32([channelsOf(x, 'x')]);
    return [f32(x.shape), channels, channels, channels, channels];
  },
  vjp(build, { inputs, outputs, attrs: { residual, activation } }, [dOutput, ...dStatistics], wanted) {
    if (dStatistics.some((grad) => grad !== null)) {
      throw new GraphError(
        `'batchNormTraining' has a gradient for its result y only, but the loss depends on its statistics`,
      );
    }
    const [x, gamma] = inputs;
    const [y, mean, inverseStd] = outputs;
    if (
      dOutput == null ||
      x === undefined ||
      gamma === undefined ||
      y === undefined ||
      mean === undefined ||
      inverseStd === undefined
    ) {
      return inputs.map(() => null);
    }
    const dy = activation === 'relu' ? build.op('reluGrad', [dOutput, y], {}) : dOutput;
    const rest = [null, null, ...(residual ? [dy] : [])];
    if (!wanted[0] && !wanted[1] && !wanted[2]) return [null, null, null, ...rest];
    const [dx, dGamma, dBeta] = build.opOutputs('batchNormGrad', [dy, x, gamma, mean, inverseStd], { residual: false });
    return [dx ?? null, dGamma ?? null, dBeta ?? null, ...rest];
  },
  cost: perElement(8),
  aliases: [
    { output: 3, input: 3, kind: 'update' },
    { output: 4, input: 4, kind: 'update' },
  ],
};

/**
 * The result y of {@link batchNormTraining} once more, to the bit, for a backward pass that did not keep it: see `rematerialize`.
 * Nothing is updated.
 *
 * @shape x, residual like those of the op that it repeats
 * @shape returns     like x
 */
export const batchNormRecompute: OpDef<'batchNormRecompute'> = {
  kind: 'batchNormRecompute',
  operands: ({ residual }) => ['x', 'gamma', 'beta', ...(residual ? ['residual'] : [])],
  results: ['y'],
  infer: (inputs, { residual }) => [f32(checkOperands(inputs, ['gamma', 'beta'], residual).shape)],
  vjp: notDifferentiable('batchNormRecompute'),
  cost: perElement(8),
};

/**
 * Batch normalization with given statistics, and an optional epilogue.
 *
 * y = activation(gamma·(x − mean)/√(variance + epsilon) + beta + residual)
 *
 * @shape x        […, channels]
 * @shape gamma, beta, mean, variance  [channels]
 * @shape residual like x, when `residual`
 * @shape returns  like x
 * @source Ioffe & Szegedy 2015, algorithm 2
 */
export const batchNormInference: OpDef<'batchNormInference'> = {
  kind: 'batchNormInference',
  operands: ({ residual }) => ['x', 'gamma', 'beta', 'mean', 'variance', ...(residual ? ['residual'] : [])],
  results: ['y'],
  infer: (inputs, { residual }) => [f32(checkOperands(inputs, ['gamma', 'beta', 'mean', 'variance'], residual).shape)],
  vjp(build, { inputs, outputs, attrs: { epsilon, residual, activation } }, [dOutput], wanted) {
    const [x, gamma, , mean, variance] = inputs;
    const [y] = outputs;
    if (
      dOutput == null ||
      x === undefined ||
      gamma === undefined ||
      mean === undefined ||
      variance === undefined ||
      y === undefined
    ) {
      return inputs.map(() => null);
    }
    const dy = activation === 'relu' ? build.op('reluGrad', [dOutput, y], {}) : dOutput;
    const plain = { epsilon, residual: false, activation: 'none' } as const;
    const dx = wanted[0] ? build.op('batchNormInference', [dy, ...scaleOnly(build, gamma, variance)], plain) : null;
    let dGamma: ValueId | null = null;
    if (wanted[1]) {
      const shape = build.spec(gamma).shape;
      const one = build.op('fill', [], { shape, value: 1 });
      const zero = build.op('fill', [], { shape, value: 0 });
      const normalized = build.op('batchNormInference', [x, one, zero, mean, variance], plain);
      dGamma = build.op('biasAddGrad', [build.op('multiply', [dy, normalized], {})], {});
    }
    const dBeta = wanted[2] ? build.op('biasAddGrad', [dy], {}) : null;
    return [dx, dGamma, dBeta, null, null, ...(residual ? [dy] : [])];
  },
  cost: perElement(3),
  inPlace: { output: 0, input: 0 },
};

/**
 * Gradient of {@link batchNormTraining} with respect to x, gamma and beta.
 *
 * x̂ = (x − mean)·inverseStd; dBeta = Σ dy; dGamma = Σ dy·x̂;
 * dx = gamma·inverseStd·(dy − dBeta/N − x̂·dGamma/N) + residual, N the number of positions
 *
 * @shape dy, x    […, channels]
 * @shape gamma, mean, inverseStd  [channels]
 * @shape residual like x, when `residual`
 * @shape returns  dx like x; dGamma, dBeta [channels]
 * @source Ioffe & Szegedy 2015, §3
 */
export const batchNormGrad: OpDef<'batchNormGrad'> = {
  kind: 'batchNormGrad',
  operands: ({ residual }) => ['dy', 'x', 'gamma', 'mean', 'inverseStd', ...(residual ? ['residual'] : [])],
  results: ['dx', 'dGamma', 'dBeta'],
  infer(inputs, { residual }) {
    const dy = operand(inputs, 0, 'dy');
    const x = checkOperands(inputs.slice(1), ['gamma', 'mean', 'inverseStd'], residual);
    expectShape(dy, 'dy', x.shape, 'like x');
    const channels = f32([channelsOf(x, 'x')]);
    return [f32(x.shape), channels, channels];
  },
  vjp: notDifferentiable('batchNormGrad'),
  cost: perElement(10),
  inPlace: { output: 0, input: 0 },
};
