import { elementCount, type GuardedAttrs } from '@skiplane/core';
import { ceilDiv, elementsPerTask, record, single, spec, type Addresses, type Lower } from './lowering.ts';

/** Constants of the moments; 1 − beta is rounded once, from the exact difference. */
const momentConstants = (attrs: { readonly beta1: number; readonly beta2: number; readonly epsilon: number }) => ({
  beta1: attrs.beta1,
  beta2: attrs.beta2,
  epsilon: attrs.epsilon,
  oneMinusBeta1: 1 - attrs.beta1,
  oneMinusBeta2: 1 - attrs.beta2,
});

/** No address stands for a step that is always taken. */
const normAt = ({ guarded = false }: GuardedAttrs, at: Addresses, index: number): number =>
  guarded ? at.input(index) : 0;

export const adam: Lower<'adam'> = ({ attrs, inputs }) => {
  const count = elementCount(spec(inputs, 0).shape);
  return single('adam', (at) => [
    record('adam', ceilDiv(count, elementsPerTask), {
      parameter: at.input(0),
      m: at.input(1),
      v: at.input(2),
      gradient: at.input(3),
      stepSize: at.input(4),
      norm: normAt(attrs, at, 5),
      count,
      ...momentConstants(attrs),
    }),
  ]);
};

export const adamW: Lower<'adamW'> = ({ attrs, inputs }) => {
  const count = elementCount(spec(inputs, 0).shape);
  return single('adamW', (at) => [
    record('adamW', ceilDiv(count, elementsPerTask), {
      parameter: at.input(0),
      m: at.input(1),
      v: at.input(2),
      gradient: at.input(3),
      stepSize: at.input(4),
      decay: at.input(5),
      norm: normAt(attrs, at, 6),
      count,
      ...momentConstants(attrs),
    }),
  ]);
};

export const sgdMomentum: Lower<'sgdMomentum'> = ({ attrs, inputs }) => {
  const { momentum, nesterov } = attrs;
  const count = elementCount(spec(inputs, 0).shape);
  return single('sgdMomentum', (at) => [
    record('sgdMomentum', ceilDiv(count, elementsPerTask), {
      parameter: at.input(0),
      m: at.input(1),
      gradient: at.input(2),
      learningRate: at.input(3),
      norm: normAt(attrs, at, 4),
      count,
      momentum,
      nesterov: Number(nesterov),
    }),
  ]);
};

export const assignAdd: Lower<'assignAdd'> = ({ inputs }) => {
  const count = elementCount(spec(inputs, 0).shape);
  return single('add', (at) => [
    record('add', ceilDiv(count, elementsPerTask), { a: at.input(0), b: at.input(1), y: at.output(0), count }),
  ]);
};
