import type { TensorSpec } from '@skiplane/core';
import {
  align,
  ceilDiv,
  record,
  rowsAndChannels,
  single,
  spec,
  wholeImages,
  type KernelRecord,
  type Lower,
} from './lowering.ts';

/** Rows of an elementwise task: about 64 KB. */
export const rowsPerTask = (channels: number): number => Math.max(1, Math.floor(16384 / channels));

export const vectorBytes = (channels: number): number => align(channels * 4);

export const batchNormInference: Lower<'batchNormInference'> = ({ attrs, inputs }) => {
  const x = spec(inputs, 0);
  const { channels } = rowsAndChannels(x);
  return {
    kernels: ['batchNorm.apply'],
    workspaceBytes: 3 * vectorBytes(channels),
    scratchBytes: 0,
    records: (at) => [
      record('batchNormInferenceAffine', 1, {
        gamma: at.input(1),
        beta: at.input(2),
        mean: at.input(3),
        variance: at.input(4),
        affine: at.workspace,
        channels,
        epsilon: attrs.epsilon,
      }),
      apply(at.input(0), at.output(0), at.workspace, attrs.residual ? at.input(5) : 0, attrs.activation === 'relu', x),
    ],
  };
};

export function apply(
  x: number,
  y: number,
  affine: number,
  residual: number,
  relu: boolean,
  of: TensorSpec,
): KernelRecord {
  const { rows, channels } = rowsAndChannels(of);
  const perTask = rowsPerTask(channels);
  return record(
    'batchNormApply',
    ceilDiv(rows, perTask),
    { x, affine, residual, y, rows, channels, relu: relu ? 1 : 0, rowsPerTask: perTask },
    { images: imagesOfRows(of, perTask) },
  );
}

/** {@link KernelRecord.images} of tasks of `perTask` rows. */
export function imagesOfRows(of: TensorSpec, perTask: number): number {
  const [batch = 0] = of.shape;
  return wholeImages(batch, rowsAndChannels(of).rows / batch, perTask);
}

export const biasAdd: Lower<'biasAdd'> = ({ inputs }) => {
  const { rows, channels } = rowsAndChannels(spec(inputs, 0));
  const perTask = rowsPerTask(channels);
  return single('biasAdd', (at) => [
    record('biasAdd', ceilDiv(rows, perTask), {
      x: at.input(0),
      bias: at.input(1),
      y: at.output(0),
      rows,
      channels,
      rowsPerTask: perTask,
    }),
  ]);
};
