import { perElement } from './cost.ts';
import { channelsOf, expectShape, f32, notDifferentiable, operand } from './infer.ts';
import type { OpDef } from './op-def.ts';

/**
 * y[…,c] = x[…,c] + bias[c]
 *
 * @shape x       […, channels]
 * @shape bias    [channels]
 * @shape returns […, channels]
 * @bound  3·u·(|x| + |bias|) per element
 */
export const biasAdd: OpDef<'biasAdd'> = {
  kind: 'biasAdd',
  operands: () => ['x', 'bias'],
  results: ['y'],
  infer(inputs) {
    const x = operand(inputs, 0, 'x');
    expectShape(operand(inputs, 1, 'bias'), 'bias', [channelsOf(x, 'x')], 'like the channels of x');
    return [f32(x.shape)];
  },
  vjp: (build, _op, [dy], wanted) =>
    dy == null ? [null, null] : [dy, wanted[1] ? build.op('biasAddGrad', [dy], {}) : null],
  cost: perElement(1),
  inPlace: { output: 0, input: 0 },
};

/**
 * Gradient of {@link biasAdd} with respect to the bias: dBias[c] = Σ dy[…,c].
 *
 * @shape dy      […, channels]
 * @shape returns [channels]
 * @bound  (2 + √K)·u·Σ|dy| per element, K the number of positions
 */
export const biasAddGrad: OpDef<'biasAddGrad'> = {
  kind: 'biasAddGrad',
  operands: () => ['dy'],
  results: ['dBias'],
  infer: (inputs) => [f32([channelsOf(operand(inputs, 0, 'dy'), 'dy')])],
  vjp: notDifferentiable('biasAddGrad'),
  cost: perElement(1),
};
