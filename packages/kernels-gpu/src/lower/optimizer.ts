import type { OpAttrs } from '@skiplane/core';
import { overVectors } from './elementwise.ts';
import { input, single, spec, type Lower } from './lowering.ts';

/** The operands, and once more the last of them where there is no norm. */
const bindings = (count: number, guarded: boolean) => [
  ...Array.from({ length: count }, (_, index) => input(index)),
  input(guarded ? count : count - 1),
];

/** Constants of the moments; 1 − beta is rounded once, from the exact difference. */
const momentConstants = ({ guarded = false, ...attrs }: OpAttrs['adam']) => ({
  guarded: Number(guarded),
  beta1: attrs.beta1,
  beta2: attrs.beta2,
  oneMinusBeta1: 1 - attrs.beta1,
  oneMinusBeta2: 1 - attrs.beta2,
  epsilon: attrs.epsilon,
});

export const adam: Lower<'adam'> = ({ attrs, inputs }) =>
  single(
    'adam.vec4',
    overVectors('adam', spec(inputs, 0).shape, bindings(5, attrs.guarded ?? false), momentConstants(attrs)),
  );

export const adamW: Lower<'adamW'> = ({ attrs, inputs }) =>
  single(
    'adam-w.vec4',
    overVectors('adam-w', spec(inputs, 0).shape, bindings(6, attrs.guarded ?? false), momentConstants(attrs)),
  );

export const sgdMomentum: Lower<'sgdMomentum'> = ({ attrs: { momentum, nesterov, guarded = false }, inputs }) =>
  single(
    'sgd-momentum.vec4',
    overVectors('sgd-momentum', spec(inputs, 0).shape, bindings(4, guarded), {
      momentum,
      nesterov: Number(nesterov),
      guarded: Number(guarded),
    }),
  );

export const assignAdd: Lower<'assignAdd'> = ({ inputs }) =>
  single('assign-add.vec4', overVectors('assign-add', spec(inputs, 0).shape, [input(0), input(1)]));
