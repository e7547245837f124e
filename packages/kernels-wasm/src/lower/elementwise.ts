import { elementCount, type OpKind } from '@skiplane/core';
import { ceilDiv, elementsPerTask, record, single, spec, type Lower, type OpView } from './lowering.ts';

/** Elements of the output and tasks to compute them. */
export function extent<K extends OpKind>(op: OpView<K>): { count: number; tasks: number } {
  const count = elementCount(spec(op.outputs, 0).shape);
  return { count, tasks: ceilDiv(count, elementsPerTask) };
}

function unary(kernel: 'relu' | 'sigmoid'): Lower<'relu' | 'sigmoid'> {
  return (op) => {
    const { count, tasks } = extent(op);
    return single(kernel, (at) => [record(kernel, tasks, { x: at.input(0), y: at.output(0), count })]);
  };
}

function binary(kernel: 'add' | 'multiply'): Lower<'add' | 'multiply'> {
  return (op) => {
    const { count, tasks } = extent(op);
    return single(kernel, (at) => [record(kernel, tasks, { a: at.input(0), b: at.input(1), y: at.output(0), count })]);
  };
}

export const relu: Lower<'relu'> = unary('relu');
export const sigmoid: Lower<'sigmoid'> = unary('sigmoid');
export const add: Lower<'add'> = binary('add');
export const multiply: Lower<'multiply'> = binary('multiply');
export const affine: Lower<'affine'> = (op) => {
  const { count, tasks } = extent(op);
  return single('affine', (at) => [record('affine', tasks, { x: at.input(0), y: at.output(0), count, ...op.attrs })]);
};

/** A view: the planner gives it its input's memory. */
export const reshape: Lower<'reshape'> = () => ({ kernels: [], workspaceBytes: 0, scratchBytes: 0, records: () => [] });
