import { elementCount } from '@skiplane/core';
import { ceilDiv, elementsPerTask, record, single, spec, type Lower } from './lowering.ts';

export const adam: Lower<'adam'> = ({ attrs, inputs }) => {
  const count = elementCount(spec(inputs, 0).shape);
  return single('adam', (at) => [
    record('adam', ceilDiv(count, elementsPerTask), {
      parameter: at.input(0),
      m: at.input(1),
      v: at.input(2),
      gradient: at.input(3),
      stepSize: at.input(4),
      count,
      ...attrs,
      oneMinusBeta1: 1 - attrs.beta1,
      oneMinusBeta2: 1 - attrs.beta2,
    }),
  ]);
};

export const assignAdd: Lower<'assignAdd'> = ({ inputs }) => {
  const count = elementCount(spec(inputs, 0).shape);
  return single('add', (at) => [
    record('add', ceilDiv(count, elementsPerTask), { a: at.input(0), b: at.input(1), y: at.output(0), count }),
  ]);
};
