import type { ValueId } from '@skiplane/core';
import type { NetworkBuilder } from '../network-builder.ts';
import type { Architecture, UnitOrder } from './architecture.ts';

type Step = 'bn' | 'relu';

/** What stands where, around the convolutions of a net. */
interface Order {
  /** Behind the stem's convolution. */
  readonly stem: readonly Step[];
  /** In a unit: in front of the first convolution, between two, behind the last, and behind the addition. */
  readonly first: readonly Step[];
  readonly between: readonly Step[];
  readonly last: readonly Step[];
  readonly joined: readonly Step[];
  /** Behind the last unit. */
  readonly end: readonly Step[];
}

const both = ['bn', 'relu'] as const;

const orders: { readonly [K in UnitOrder]: Order } = {
  postActivation: { stem: both, first: [], between: both, last: ['bn'], joined: ['relu'], end: [] },
  normalizedAddition: { stem: both, first: [], between: both, last: [], joined: both, end: [] },
  activatedBranch: { stem: both, first: [], between: both, last: both, joined: [], end: [] },
  reluPreActivation: { stem: ['bn'], first: ['relu'], between: both, last: ['bn'], joined: [], end: ['relu'] },
  preActivation: { stem: [], first: both, between: both, last: [], joined: [], end: both },
  openPreActivation: { stem: [], first: both, between: both, last: [], joined: [], end: [] },
};

/** The steps of an architecture. */
export function orderOf({ order, batchNorm = true }: Pick<Architecture, 'order' | 'batchNorm'>): Order {
  if (batchNorm) return orders[order];
  const without = Object.entries(orders[order]).map(([place, steps]: [string, readonly Step[]]) => [
    place,
    steps.filter((step) => step !== 'bn'),
  ]);
  return Object.fromEntries(without) as Order;
}

/** Adds steps, named by `nameOf`. @shape x, returns [batch, height, width, channels] */
export function addSteps(
  net: NetworkBuilder,
  x: ValueId,
  steps: readonly Step[],
  nameOf: (step: Step) => string = (step) => step,
): ValueId {
  return steps.reduce(
    (y, step) => (step === 'bn' ? net.batchNorm(y, nameOf(step)) : net.activation(y, nameOf(step), 'relu')),
    x,
  );
}
