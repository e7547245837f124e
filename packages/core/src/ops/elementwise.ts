import type { TensorSpec } from '../tensor.ts';
import { perElement } from './cost.ts';
import { expectShape, f32, notDifferentiable, operand } from './infer.ts';
import type { OpDef } from './op-def.ts';

function sameAsFirst(first: string, second: string) {
  return (inputs: readonly TensorSpec[]): readonly TensorSpec[] => {
    const a = operand(inputs, 0, first);
    expectShape(operand(inputs, 1, second), second, a.shape, `like ${first}`);
    return [f32(a.shape)];
  };
}

const likeX = (inputs: readonly TensorSpec[]): readonly TensorSpec[] => [f32(operand(inputs, 0, 'x').shape)];

/** y = max(x, 0). Exact. */
export const relu: OpDef<'relu'> = {
  kind: 'relu',
  operands: () => ['x'],
  results: ['y'],
  infer: likeX,
  vjp: (build, { outputs: [y] }, [dy]) => [dy == null || y === undefined ? null : build.op('reluGrad', [dy, y], {})],
  cost: perElement(1),
  inPlace: { output: 0, input: 0 },
};

/** dx = dy·[y > 0]: the gradient of {@link relu} from its output. Exact. */
export const reluGrad: OpDef<'reluGrad'> = {
  kind: 'reluGrad',
  operands: () => ['dy', 'y'],
  results: ['dx'],
  infer: sameAsFirst('dy', 'y'),
  vjp: notDifferentiable('reluGrad'),
  cost: perElement(1),
  inPlace: { output: 0, input: 0 },
};

/** y = 1/(1 + e^−x). Bound: 8·u·(1 + |x|)·y per element (the error of the exponential's argument and polynomial). */
export const sigmoid: OpDef<'sigmoid'> = {
  kind: 'sigmoid',
  operands: () => ['x'],
  results: ['y'],
  infer: likeX,
  vjp: (build, { outputs: [y] }, [dy]) => [dy == null || y === undefined ? null : build.op('sigmoidGrad', [dy, y], {})],
  cost: perElement(10),
  inPlace: { output: 0, input: 0 },
};

/** dx = dy·y·(1 − y): the gradient of {@link sigmoid} from its output. */
export const sigmoidGrad: OpDef<'sigmoidGrad'> = {
  kind: 'sigmoidGrad',
  operands: () => ['dy', 'y'],
  results: ['dx'],
  infer: sameAsFirst('dy', 'y'),
  vjp: notDifferentiable('sigmoidGrad'),
  cost: perElement(3),
  inPlace: { output: 0, input: 0 },
};

/** y = a + b, shapes equal. */
export const add: OpDef<'add'> = {
  kind: 'add',
  operands: () => ['a', 'b'],
  results: ['y'],
  infer: sameAsFirst('a', 'b'),
  vjp: (_build, _op, [dy]) => [dy ?? null, dy ?? null],
  cost: perElement(1),
  inPlace: { output: 0, input: 0 },
};

/** y = a·b, shapes equal. */
export const multiply: OpDef<'multiply'> = {
  kind: 'multiply',
  operands: () => ['a', 'b'],
  results: ['y'],
  infer: sameAsFirst('a', 'b'),
  vjp(build, { inputs: [a, b] }, [dy], wanted) {
    if (dy == null || a === undefined || b === undefined) return [null, null];
    return [wanted[0] ? build.op('multiply', [dy, b], {}) : null, wanted[1] ? build.op('multiply', [dy, a], {}) : null];
  },
  cost: perElement(1),
  inPlace: { output: 0, input: 0 },
};

/** y = scale·x + offset, both constants. */
export const affine: OpDef<'affine'> = {
  kind: 'affine',
  operands: () => ['x'],
  results: ['y'],
  infer: likeX,
  vjp: (build, { attrs: { scale } }, [dy]) => [dy == null ? null : build.op('affine', [dy], { scale, offset: 0 })],
  cost: perElement(2),
  inPlace: { output: 0, input: 0 },
};
