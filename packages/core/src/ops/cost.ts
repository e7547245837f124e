import { byteLength, elementCount, type TensorSpec } from '../tensor.ts';
import type { OpCost } from './op-def.ts';

export function totalBytes(...specs: readonly (readonly TensorSpec[])[]): number {
  return specs.flat().reduce((sum, spec) => sum + byteLength(spec), 0);
}

/** Cost of an op that does a fixed number of operations per element of its largest operand. */
export function perElement(flopsPerElement: number) {
  return (inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): OpCost => ({
    flops: flopsPerElement * Math.max(0, ...[...inputs, ...outputs].map((spec) => elementCount(spec.shape))),
    bytes: totalBytes(inputs, outputs),
  });
}

/** Cost of an op that only names memory. */
export const free = (): OpCost => ({ flops: 0, bytes: 0 });
