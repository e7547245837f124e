import type { OpAttrs, TensorSpec } from '@skiplane/core';
import { apply, imagesOfRows, rowsPerTask, vectorBytes } from './batch-norm.ts';
import {
  align,
  ceilDiv,
  equalShares,
  record,
  rowsAndChannels,
  spec,
  type Addresses,
  type Lower,
  type Lowering,
} from './lowering.ts';

/** Rows of a statistics chunk at the least, and chunks at the most: enough for many threads, few enough to merge. */
const chunkRows = 256;
const maxChunks = 64;

const chunkCount = (rows: number): number => Math.max(1, Math.min(maxChunks, Math.floor(rows / chunkRows)));

/** Parts of each chunk: its images, where it has whole ones. */
function chunkParts({ shape: [batch = 0] }: TensorSpec, chunks: number): number {
  return Math.max(1, equalShares(batch, chunks) / chunks);
}

/** Scratch of the statistics kernels: three vectors of channels. */
const blockScratch = (channels: number): number => 3 * vectorBytes(channels) + 64;

/** Places of what training computes and updates besides y. */
interface Statistics {
  readonly mean: number;
  readonly inverseStd: number;
  readonly movingMean: number;
  readonly movingVariance: number;
}

export const batchNormTraining: Lower<'batchNormTraining'> = ({ attrs, inputs }) =>
  fromBatch(spec(inputs, 0), attrs, 0, (at) => ({
    residual: attrs.residual ? at.input(5) : 0,
    mean: at.output(1),
    inverseStd: at.output(2),
    movingMean: at.output(3),
    movingVariance: at.output(4),
  }));

/** The same kernels, so that y has the same bits; statistics that nobody wants go to the workspace. */
export const batchNormRecompute: Lower<'batchNormRecompute'> = ({ attrs, inputs }) => {
  const x = spec(inputs, 0);
  const bytes = vectorBytes(rowsAndChannels(x).channels);
  const unwanted = { momentum: 1, movingVariance: 'biased' } as const;
  return fromBatch(x, { ...attrs, ...unwanted }, 4 * bytes, (at, extra) => ({
    residual: attrs.residual ? at.input(3) : 0,
    mean: extra,
    inverseStd: extra + bytes,
    movingMean: extra + 2 * bytes,
    movingVariance: extra + 3 * bytes,
  }));
};

/** y by the statistics of the batch. @param extraBytes  of workspace for `placesOf` */
function fromBatch(
  x: TensorSpec,
  attrs: Omit<OpAttrs['batchNormTraining'], 'residual'>,
  extraBytes: number,
  placesOf: (at: Addresses, extra: number) => Statistics & { readonly residual: number },
): Lowering {
  const { rows, channels } = rowsAndChannels(x);
  const [batch = 0] = x.shape;
  const chunks = chunkCount(rows);
  const parts = chunkParts(x, chunks);
  const partialBytes = align(chunks * 2 * channels * 8);
  const affineBytes = 3 * vectorBytes(channels);
  return {
    kernels: ['batchNorm.chunked-welford', 'batchNorm.apply'],
    workspaceBytes: partialBytes + affineBytes + extraBytes,
    scratchBytes: blockScratch(channels),
    records(at) {
      const partials = at.workspace;
      const affine = at.workspace + partialBytes;
      const { residual, ...statistics } = placesOf(at, affine + affineBytes);
      return [
        record(
          'batchNormStats',
          chunks * parts,
          { x: at.input(0), partials, rows, channels, chunks, parts },
          { images: equalShares(batch, chunks), sequence: parts },
        ),
        record('batchNormStatsFinish', 1, {
          partials,
          ...statistics,
          gamma: at.input(1),
          beta: at.input(2),
          affine,
          rows,
          channels,
          chunks,
          epsilon: attrs.epsilon,
          momentum: attrs.momentum,
          oneMinusMomentum: 1 - attrs.momentum,
          unbiased: attrs.movingVariance === 'unbiased' ? 1 : 0,
        }),
        apply(at.input(0), at.output(0), affine, residual, attrs.activation === 'relu', x),
      ];
    },
  };
}

export const batchNormGrad: Lower<'batchNormGrad'> = ({ attrs, inputs }) => {
  const of = spec(inputs, 1);
  const { rows, channels } = rowsAndChannels(of);
  const chunks = chunkCount(rows);
  const parts = chunkParts(of, chunks);
  const partialBytes = align(chunks * 2 * channels * 8);
  const perTask = rowsPerTask(channels);
  return {
    kernels: ['batchNormGrad.sums', 'batchNormGrad.apply'],
    workspaceBytes: partialBytes + 4 * vectorBytes(channels),
    scratchBytes: blockScratch(channels),
    records(at) {
      const [dy, x, gamma, mean, inverseStd] = [0, 1, 2, 3, 4].map((i) => at.input(i)) as [
        number,
        number,
        number,
        number,
        number,
      ];
      const partials = at.workspace;
      const coefficients = at.workspace + partialBytes;
      return [
        record(
          'batchNormGradSums',
          chunks * parts,
          { dy, x, mean, partials, rows, channels, chunks, parts },
          { images: equalShares(of.shape[0] ?? 0, chunks), sequence: parts },
        ),
        record('batchNormGradFinish', 1, {
          partials,
          gamma,
          mean,
          inverseStd,
          dGamma: at.output(1),
          dBeta: at.output(2),
          coefficients,
          rows,
          channels,
          chunks,
        }),
        record(
          'batchNormGradApply',
          ceilDiv(rows, perTask),
          {
            dy,
            x,
            coefficients,
            residual: attrs.residual ? at.input(5) : 0,
            dx: at.output(0),
            rows,
            channels,
            rowsPerTask: perTask,
          },
          { images: imagesOfRows(of, perTask) },
        ),
      ];
    },
  };
};

export const biasAddGrad: Lower<'biasAddGrad'> = ({ inputs }) => {
  const { rows, channels } = rowsAndChannels(spec(inputs, 0));
  const chunks = chunkCount(rows);
  return {
    kernels: ['biasAddGrad.chunked'],
    workspaceBytes: chunks * channels * 8,
    scratchBytes: blockScratch(channels),
    records: (at) => [
      record('channelSums', chunks, { x: at.input(0), partials: at.workspace, rows, channels, chunks }),
      record('channelSumsFinish', 1, { partials: at.workspace, y: at.output(0), channels, chunks }),
    ],
  };
};
