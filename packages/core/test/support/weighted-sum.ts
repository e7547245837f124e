import type { GraphBuilder, ValueId } from '../../src/index.ts';
import { randomTensor } from './tensor-data.ts';

/** Adds Σ coefficients·y, a scalar loss with another derivative for each element of y; returns it and the data of its input. */
export function weightedSum(build: GraphBuilder, y: ValueId, name = 'coefficients') {
  const spec = build.spec(y);
  const product = build.op('multiply', [y, build.input(name, spec)], {});
  return { loss: build.op('reduceSum', [product], {}), data: { [name]: randomTensor(spec.shape, name).data } };
}

export const dataOf = (
  operands: Readonly<Record<string, { data: ArrayLike<number> }>>,
): Record<string, ArrayLike<number>> =>
  Object.fromEntries(Object.entries(operands).map(([name, { data }]) => [name, data]));
