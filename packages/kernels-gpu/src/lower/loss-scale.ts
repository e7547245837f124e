import { overVectors } from './elementwise.ts';
import { input, output, single, spec, type Lower } from './lowering.ts';

export const unscaleGradient: Lower<'unscaleGradient'> = ({ inputs }) =>
  single(
    'unscale-gradient.vec4',
    overVectors('unscale-gradient', spec(inputs, 0).shape, [input(0), input(1), output(0)]),
  );

export const updateLossScale: Lower<'updateLossScale'> = ({ attrs: { growthSteps, minimum, maximum } }) =>
  single('update-loss-scale', {
    shader: 'update-loss-scale',
    constants: { growthSteps, minimum, maximum },
    bindings: [input(0), input(1), input(2)],
    workgroups: [1, 1, 1],
  });
