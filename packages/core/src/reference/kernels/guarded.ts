import type { ReferenceKernel } from '../kernel.ts';

/**
 * A step of an optimizer that is not taken where its norm is NaN or infinite.
 * @param updated  names of what it updates
 * @param kept  what stands for an element then: itself, or its magnitude
 */
export function guarded<K extends 'adam' | 'adamW' | 'sgdMomentum'>(
  updated: readonly string[],
  step: ReferenceKernel<K>,
  kept: (value: number) => number = (value) => value,
): ReferenceKernel<K> {
  return (inputs, outputs, attrs) => {
    if (Number.isFinite(inputs.optional('norm')?.[0] ?? 0)) step(inputs, outputs, attrs);
    else for (const name of updated) outputs.values(name).set(inputs.values(name).map(kept));
  };
}
