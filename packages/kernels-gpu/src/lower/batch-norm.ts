import type { TensorSpec } from '@skiplane/core';
import { ceilDiv, fold, input, output, rowsAndChannels, spec, type Dispatch, type Lower } from './lowering.ts';
import { Plan, workgroupSize } from './plan.ts';

/** Rows of a chunk of sums at the least, and chunks at the most: enough to fill a device, few enough to merge. */
const chunkRows = 32;
const maxChunks = 256;

/** Rows of one invocation of the kernels that go through all elements. */
const applyRows = 8;

/** Sizes of an operand, with its channels in the lanes of the kernels: vectors where four divides them. */
function layout(of: TensorSpec) {
  const { rows, channels } = rowsAndChannels(of);
  const vectors = channels % 4 === 0;
  const lanes = vectors ? channels / 4 : channels;
  const chunks = Math.max(1, Math.min(maxChunks, Math.floor(rows / chunkRows)));
  return {
    rows,
    channels,
    lanes,
    chunks,
    /** Chooses the kernel for vectors or for single channels. */
    pick: <T>(single: T, vec4: T): T => (vectors ? vec4 : single),
    chunked: fold(ceilDiv(chunks * lanes, workgroupSize)),
    perChannel: fold(ceilDiv(channels, workgroupSize)),
    applied: fold(ceilDiv(ceilDiv(rows, applyRows) * lanes, workgroupSize)),
  };
}

type Layout = ReturnType<typeof layout>;

interface Apply {
  readonly statistics: readonly [mean: Dispatch['bindings'][number], deviation: Dispatch['bindings'][number]];
  readonly fromVariance: boolean;
  readonly epsilon: number;
  readonly residual: boolean;
  readonly relu: boolean;
}

/** y from x, gamma and beta, which both kinds of batch norm have as operands 0, 1 and 2, and the residual as operand 5. */
function apply(
  { rows, lanes, pick, applied }: Layout,
  { statistics, fromVariance, epsilon, residual, relu }: Apply,
): Dispatch {
  return {
    shader: pick('batch-norm-apply', 'batch-norm-apply-vec4'),
    constants: {
      rows,
      channels: lanes,
      epsilon,
      fromVariance: Number(fromVariance),
      hasResidual: Number(residual),
      relu: Number(relu),
    },
    bindings: [input(0), input(1), input(2), ...statistics, residual ? input(5) : input(0), output(0)],
    workgroups: applied,
  };
}

export const batchNormTraining: Lower<'batchNormTraining'> = ({ attrs, inputs }) => {
  const sizes = layout(spec(inputs, 0));
  const { rows, channels, lanes, chunks, pick, chunked, perChannel } = sizes;
  const plan = new Plan('batchNorm.chunked-chan', 'batchNorm.apply');
  const partials = plan.workspace(chunks * 2 * channels);
  plan.add({
    shader: pick('batch-norm-statistics', 'batch-norm-statistics-vec4'),
    constants: { rows, channels: lanes, chunks },
    bindings: [input(0), partials],
    workgroups: chunked,
  });
  plan.add({
    shader: 'batch-norm-statistics-finish',
    constants: {
      rows,
      channels,
      chunks,
      epsilon: attrs.epsilon,
      momentum: attrs.momentum,
      oneMinusMomentum: 1 - attrs.momentum,
      unbiased: Number(attrs.movingVariance === 'unbiased'),
    },
    // The moving statistics are updated in place: outputs 3 and 4 are inputs 3 and 4.
    bindings: [partials, output(1), output(2), input(3), input(4)],
    workgroups: perChannel,
  });
  plan.add(
    apply(sizes, {
      statistics: [output(1), output(2)],
      fromVariance: false,
      epsilon: attrs.epsilon,
      residual: attrs.residual,
      relu: attrs.activation === 'relu',
    }),
  );
  return plan.finish();
};

export const batchNormInference: Lower<'batchNormInference'> = ({ attrs, inputs }) => {
  const plan = new Plan('batchNorm.apply');
  plan.add(
    apply(layout(spec(inputs, 0)), {
      statistics: [input(3), input(4)],
      fromVariance: true,
      epsilon: attrs.epsilon,
      residual: attrs.residual,
      relu: attrs.activation === 'relu',
    }),
  );
  return plan.finish();
};

export const batchNormGrad: Lower<'batchNormGrad'> = ({ attrs, inputs }) => {
  const { rows, channels, lanes, chunks, pick, chunked, perChannel, applied } = layout(spec(inputs, 1));
  const [dy, x, gamma, mean, inverseStd] = [input(0), input(1), input(2), input(3), input(4)];
  const plan = new Plan('batchNormGrad.chunked', 'batchNormGrad.apply');
  const partials = plan.workspace(chunks * 2 * channels);
  const coefficients = plan.workspace(4 * channels);
  plan.add({
    shader: pick('batch-norm-grad-sums', 'batch-norm-grad-sums-vec4'),
    constants: { rows, channels: lanes, chunks },
    bindings: [dy, x, mean, partials],
    workgroups: chunked,
  });
  plan.add({
    shader: 'batch-norm-grad-finish',
    constants: { rows, channels, chunks },
    bindings: [partials, gamma, mean, inverseStd, output(1), output(2), coefficients],
    workgroups: perChannel,
  });
  plan.add({
    shader: pick('batch-norm-grad-apply', 'batch-norm-grad-apply-vec4'),
    constants: { rows, channels: lanes, hasResidual: Number(attrs.residual) },
    bindings: [dy, x, coefficients, attrs.residual ? input(5) : x, output(0)],
    workgroups: applied,
  });
  return plan.finish();
};

export const biasAddGrad: Lower<'biasAddGrad'> = ({ inputs }) => {
  const { rows, channels, lanes, chunks, pick, chunked } = layout(spec(inputs, 0));
  const shader = pick('channel-sums', 'channel-sums-vec4');
  const plan = new Plan('biasAddGrad.chunked');
  const sums = chunks === 1 ? output(0) : plan.workspace(chunks * channels);
  plan.add({
    shader,
    constants: { rows, channels: lanes, chunks },
    bindings: [input(0), sums],
    workgroups: chunked,
  });
  if (chunks > 1) {
    plan.add({
      shader,
      constants: { rows: chunks, channels: lanes, chunks: 1 },
      bindings: [sums, output(0)],
      workgroups: fold(ceilDiv(lanes, workgroupSize)),
    });
  }
  return plan.finish();
};
