import { elementCount } from '@skiplane/core';
import { ceilDiv, elementsPerTask, record, single, spec, type Lower } from './lowering.ts';

export const unscaleGradient: Lower<'unscaleGradient'> = ({ inputs }) => {
  const count = elementCount(spec(inputs, 0).shape);
  return single('unscaleGradient', (at) => [
    record('unscaleGradient', ceilDiv(count, elementsPerTask), {
      gradient: at.input(0),
      lossScale: at.input(1),
      unscaled: at.output(0),
      count,
    }),
  ]);
};

export const updateLossScale: Lower<'updateLossScale'> = ({ attrs }) =>
  single('updateLossScale', (at) => [
    record('updateLossScale', 1, { lossScale: at.input(0), goodSteps: at.input(1), norm: at.input(2), ...attrs }),
  ]);
