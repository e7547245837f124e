import { overVectors } from './elementwise.ts';
import { input, single, spec, type Lower } from './lowering.ts';

const bindings = (count: number) => Array.from({ length: count }, (_, index) => input(index));

/** Constants of the moments; 1 − beta is rounded once, from the exact difference. */
const momentConstants = (attrs: { readonly beta1: number; readonly beta2: number; readonly epsilon: number }) => ({
  beta1: attrs.beta1,
  beta2: attrs.beta2,
  oneMinusBeta1: 1 - attrs.beta1,
  oneMinusBeta2: 1 - attrs.beta2,
  epsilon: attrs.epsilon,
});

export const adam: Lower<'adam'> = ({ attrs, inputs }) =>
  single('adam.vec4', overVectors('adam', spec(inputs, 0).shape, bindings(5), momentConstants(attrs)));

export const adamW: Lower<'adamW'> = ({ attrs, inputs }) =>
  single('adam-w.vec4', overVectors('adam-w', spec(inputs, 0).shape, bindings(6), momentConstants(attrs)));

export const sgdMomentum: Lower<'sgdMomentum'> = ({ attrs: { momentum, nesterov }, inputs }) =>
  single(
    'sgd-momentum.vec4',
    overVectors('sgd-momentum', spec(inputs, 0).shape, bindings(4), { momentum, nesterov: Number(nesterov) }),
  );

export const assignAdd: Lower<'assignAdd'> = ({ inputs }) =>
  single('assign-add.vec4', overVectors('assign-add', spec(inputs, 0).shape, bindings(2)));
