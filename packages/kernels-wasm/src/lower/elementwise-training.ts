import { elementCount, keptBelow } from '@skiplane/core';
import { extent } from './elementwise.ts';
import { record, single, spec, type Lower, type Lowering, type OpView } from './lowering.ts';

function gradient(kernel: 'reluGrad' | 'sigmoidGrad'): Lower<'reluGrad' | 'sigmoidGrad'> {
  return (op) => {
    const { count, tasks } = extent(op);
    return single(kernel, (at) => [
      record(kernel, tasks, { dy: at.input(0), y: at.input(1), dx: at.output(0), count }),
    ]);
  };
}

export const reluGrad: Lower<'reluGrad'> = gradient('reluGrad');
export const sigmoidGrad: Lower<'sigmoidGrad'> = gradient('sigmoidGrad');

export const dropout: Lower<'dropout'> = (op) => {
  const { count, tasks } = extent(op);
  const { keep, ...attrs } = op.attrs;
  return single('dropout.philox-4x32', (at) => [
    record('dropout', tasks, {
      x: at.input(0),
      random: at.input(1),
      y: at.output(0),
      count,
      keptBelow: keptBelow(keep),
      ...attrs,
    }),
  ]);
};

export const fill: Lower<'fill'> = (op) => {
  const { count, tasks } = extent(op);
  return single('fill', (at) => [record('fill', tasks, { y: at.output(0), count, value: op.attrs.value })]);
};

export const broadcastScalar: Lower<'broadcastScalar'> = (op) => {
  const { count, tasks } = extent(op);
  return single('broadcastScalar', (at) => [
    record('broadcastScalar', tasks, { x: at.input(0), y: at.output(0), count }),
  ]);
};

export const l2PenaltyGrad: Lower<'l2PenaltyGrad'> = (op) => {
  const { count, tasks } = extent(op);
  return single('l2PenaltyGrad', (at) => [
    record('l2PenaltyGrad', tasks, { dy: at.input(0), w: at.input(1), dw: at.output(0), count, scale: op.attrs.scale }),
  ]);
};

export const reduceSum: Lower<'reduceSum'> = (op) => sum('reduceSum', op, false, 1);

export const l2Penalty: Lower<'l2Penalty'> = (op) => sum('l2Penalty', op, true, op.attrs.scale);

function sum(kernel: string, op: OpView<'reduceSum' | 'l2Penalty'>, squares: boolean, scale: number): Lowering {
  const count = elementCount(spec(op.inputs, 0).shape);
  const chunks = Math.max(1, Math.min(64, Math.floor(count / 4096)));
  return {
    kernels: [`${kernel}.chunked`],
    workspaceBytes: chunks * 8,
    scratchBytes: 0,
    records: (at) => [
      record('sum', chunks, { x: at.input(0), partials: at.workspace, count, chunks, squares: squares ? 1 : 0 }),
      record('sumFinish', 1, { partials: at.workspace, y: at.output(0), chunks, scale }),
    ],
  };
}
