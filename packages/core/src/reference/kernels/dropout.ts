import { dropoutMask } from '../../ops/dropout.ts';
import type { ReferenceKernel } from '../kernel.ts';

export const dropout: ReferenceKernel<'dropout'> = (inputs, outputs, { keep, scale, stream }) => {
  const x = inputs.values('x');
  const y = outputs.values('y');
  const kept = dropoutMask(x.length, inputs.values('random'), keep, stream);
  for (let at = 0; at < y.length; at++) y[at] = kept[at] === 1 ? scale * (x[at] as number) : 0;
};
