import type { TensorSpec } from '@skiplane/core';
import { record, single, spec, type Lower } from './lowering.ts';

export function batchAndClasses(logits: TensorSpec): { batch: number; classes: number } {
  const [batch = 0, classes = 0] = logits.shape;
  return { batch, classes };
}

export const softmax: Lower<'softmax'> = ({ inputs }) => {
  const sizes = batchAndClasses(spec(inputs, 0));
  return single('softmax', (at) => [record('softmax', sizes.batch, { x: at.input(0), y: at.output(0), ...sizes })]);
};
