import type { OpAttrs, TensorSpec } from '@skiplane/core';
import {
  ceilDiv,
  fold,
  input,
  output,
  rowsAndChannels,
  spec,
  type Binding,
  type Dispatch,
  type Lower,
} from './lowering.ts';
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
  readonly statistics: readonly [mean: Binding, deviation: Binding];
  readonly fromVariance: boolean;
  readonly epsilon: number;
  readonly residual: Binding | null;
  readonly relu: boolean;
}

/** y from x, gamma and beta, which both kinds of batch norm have as operands 0, 1 and 2. */
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
      hasResidual: Number(residual !== null),
      relu: Number(relu),
    },
    bindings: [input(0), input(1), input(2), ...statistics, residual ?? input(0), output(0)],
    workgroups: applied,
  };
}

export const batchNormTraining: Lower<'batchNormTraining'> = ({ attrs, inputs }) => {
  const plan = new Plan(...fromBatchKernels);
  // The moving statistics are updated in place: outputs 3 and 4 are inputs 3 and 4.
  fromBatch(plan, spec(inputs, 0), attrs, {
    statistics: [output(1), output(2)],
    moving: [input(3), input(4)],
    residual: attrs.residual ? input(5) : null,
  });
  return plan.finish();
};

/** The same kernels, so that y has the same bits; statistics that nobody wants go to workspaces. */
export const batchNormRecompute: Lower<'batchNormRecompute'> = ({ attrs, inputs }) => {
  const x = spec(inputs, 0);
  const { channels } = rowsAndChannels(x);
  const plan = new Plan(...fromBatchKernels);
  const unwanted = { momentum: 1, movingVariance: 'biased' } as const;
  fromBatch(
    plan,
    x,
    { ...attrs, ...unwanted },
    {
      statistics: [plan.workspace(channels), plan.workspace(channels)],
      moving: [plan.workspace(channels), plan.workspace(channels)],
      residual: attrs.residual ? input(3) : null,
    },
  );
  return plan.finish();
};

const fromBatchKernels = ['batchNorm.chunked-chan', 'batchNorm.apply'] as const;

/** Where the results besides y are. */
interface BatchPlaces {
  readonly statistics: readonly [mean: Binding, inverseStd: Binding];
  readonly moving: readonly [mean: Binding, variance: Binding];
  readonly residual: Binding | null;
}

/** y by the statistics of the batch. */
function fromBatch(
  plan: Plan,
  x: TensorSpec,
  attrs: Omit<OpAttrs['batchNormTraining'], 'residual'>,
  { statistics, moving, residual }: BatchPlaces,
): void {
  const sizes = layout(x);
  const { rows, channels, lanes, chunks, pick, chunked, perChannel } = sizes;
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
    bindings: [partials, ...statistics, ...moving],
    workgroups: perChannel,
  });
  const { epsilon, activation } = attrs;
  plan.add(apply(sizes, { statistics, fromVariance: false, epsilon, residual, relu: activation === 'relu' }));
}

export const batchNormInference: Lower<'batchNormInference'> = ({ attrs, inputs }) => {
  const plan = new Plan('batchNorm.apply');
  plan.add(
    apply(layout(spec(inputs, 0)), {
      statistics: [input(3), input(4)],
      fromVariance: true,
      epsilon: attrs.epsilon,
      residual: attrs.residual ? input(5) : null,
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
