import { elementCount, keptBelow, type OpKind } from '@skiplane/core';
import type { ShaderName } from '../generated/sources.ts';
import {
  ceilDiv,
  fold,
  input,
  output,
  rowsAndChannels,
  single,
  spec,
  type Binding,
  type Dispatch,
  type Lower,
  type Lowering,
  type OpView,
} from './lowering.ts';

const elementsPerGroup = 1024;

/** One dispatch over all elements of a tensor, four an invocation: buffers are padded to whole vectors. */
export function overVectors(
  shader: ShaderName,
  shape: readonly number[],
  bindings: readonly Binding[],
  constants: Readonly<Record<string, number>> = {},
): Dispatch {
  const count = elementCount(shape);
  return {
    shader,
    constants: { count4: ceilDiv(count, 4), ...constants },
    bindings,
    workgroups: fold(ceilDiv(count, elementsPerGroup)),
  };
}

type Elementwise = 'relu' | 'reluGrad' | 'sigmoid' | 'sigmoidGrad' | 'add' | 'multiply' | 'affine' | 'l2PenaltyGrad';

/** All inputs in order, then the output. */
function elementwise<K extends Elementwise | 'fill' | 'broadcastScalar'>(
  shader: ShaderName,
  constants: (op: OpView<K>) => Readonly<Record<string, number>> = () => ({}),
): Lower<K> {
  return (op) => {
    const bindings = [...op.inputs.map((_, index) => input(index)), output(0)];
    return single(`${shader}.vec4`, overVectors(shader, spec(op.outputs, 0).shape, bindings, constants(op)));
  };
}

export const relu: Lower<'relu'> = elementwise('relu');
export const reluGrad: Lower<'reluGrad'> = elementwise('relu-grad');
export const sigmoid: Lower<'sigmoid'> = elementwise('sigmoid');
export const sigmoidGrad: Lower<'sigmoidGrad'> = elementwise('sigmoid-grad');
export const add: Lower<'add'> = elementwise('add');
export const multiply: Lower<'multiply'> = elementwise('multiply');
export const affine: Lower<'affine'> = elementwise('affine', ({ attrs: { scale, offset } }) => ({ scale, offset }));
/** Sixteen elements an invocation. */
export const dropout: Lower<'dropout'> = ({ outputs, attrs: { keep, scale, stream } }) => {
  const count = elementCount(spec(outputs, 0).shape);
  return single('dropout.philox-4x32', {
    shader: 'dropout',
    constants: { count4: ceilDiv(count, 4), keptBelow: keptBelow(keep), stream, scale },
    bindings: [input(0), input(1), output(0)],
    workgroups: fold(ceilDiv(count, elementsPerGroup)),
  });
};

export const fill: Lower<'fill'> = elementwise('fill', ({ attrs: { value } }) => ({ value }));
export const broadcastScalar: Lower<'broadcastScalar'> = elementwise('broadcast-scalar');
export const l2PenaltyGrad: Lower<'l2PenaltyGrad'> = elementwise('l2-penalty-grad', ({ attrs: { scale } }) => ({
  scale,
}));

/** A view: the planner gives it its input's buffer. */
export const reshape: Lower<'reshape'> = () => ({ kernels: [], workspaces: [], dispatches: [] });

export const biasAdd: Lower<'biasAdd'> = ({ inputs, outputs }) => {
  const { rows, channels } = rowsAndChannels(spec(inputs, 0));
  const count = rows * channels;
  return single('bias-add', {
    shader: 'bias-add',
    constants: { count, channels },
    bindings: [...inputs.map((_, index) => input(index)), ...outputs.map((_, index) => output(index))],
    workgroups: fold(ceilDiv(count, 256)),
  });
};

export const reduceSum: Lower<'reduceSum'> = (op) => sum('reduce-sum', op, false, 1);

export const l2Penalty: Lower<'l2Penalty'> = (op) => sum('l2-penalty', op, true, op.attrs.scale);

/** Elements that one invocation adds up at most before more groups are worth their second pass. */
const elementsPerLane = 16;

function sum<K extends OpKind>(kernel: string, op: OpView<K>, squares: boolean, scale: number): Lowering {
  const count = elementCount(spec(op.inputs, 0).shape);
  const groups = Math.min(256, ceilDiv(count, 256 * elementsPerLane));
  if (groups === 1) return single(`${kernel}.block`, block(input(0), output(0), { count, groups, squares, scale }));
  return {
    kernels: [`${kernel}.blocks-${groups}`],
    workspaces: [groups * 4],
    dispatches: [
      block(input(0), { kind: 'workspace', index: 0 }, { count, groups, squares, scale: 1 }),
      block({ kind: 'workspace', index: 0 }, output(0), { count: groups, groups: 1, squares: false, scale }),
    ],
  };
}

interface Block {
  readonly count: number;
  readonly groups: number;
  readonly squares: boolean;
  readonly scale: number;
}

function block(from: Binding, to: Binding, { count, groups, squares, scale }: Block): Dispatch {
  return {
    shader: 'reduce-sum',
    constants: { count, groups, squares: Number(squares), scale },
    bindings: [from, to],
    workgroups: [groups, 1, 1],
  };
}
