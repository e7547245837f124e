import { overVectors } from './elementwise.ts';
import { input, single, spec, type Lower } from './lowering.ts';

export const adam: Lower<'adam'> = ({ attrs: { beta1, beta2, epsilon }, inputs }) =>
  single(
    'adam.vec4',
    overVectors('adam', spec(inputs, 0).shape, [input(0), input(1), input(2), input(3), input(4)], {
      beta1,
      beta2,
      oneMinusBeta1: 1 - beta1,
      oneMinusBeta2: 1 - beta2,
      epsilon,
    }),
  );

export const assignAdd: Lower<'assignAdd'> = ({ inputs }) =>
  single('assign-add.vec4', overVectors('assign-add', spec(inputs, 0).shape, [input(0), input(1)]));
