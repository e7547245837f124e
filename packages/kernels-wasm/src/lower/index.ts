import type { OpKind } from '@skiplane/core';
import { batchNormInference, biasAdd } from './batch-norm.ts';
import { padChannels, sliceChannels } from './channels.ts';
import { conv2d } from './conv.ts';
import { matMul } from './dense.ts';
import { add, affine, multiply, relu, reshape, sigmoid } from './elementwise.ts';
import type { Lower } from './lowering.ts';
import { averagePool2d, maxPool2d } from './pool.ts';
import { addLayouts } from './record-layouts.ts';
import type * as quantized from './quantized.ts';
import { softmax } from './softmax.ts';
import type * as training from './training.ts';

type TrainingKind = Exclude<keyof typeof training, 'operandNames'>;
type QuantizedKind = Exclude<keyof typeof quantized, 'operandNames'>;

type Lowerings<Kind extends OpKind> = { readonly [K in Kind]: Lower<K> };

/** The lowering of every op that a net needs to predict: a kind that is neither here nor in a set does not type-check. */
const common: Lowerings<Exclude<OpKind, TrainingKind | QuantizedKind>> = {
  conv2d,
  biasAdd,
  batchNormInference,
  relu,
  sigmoid,
  add,
  multiply,
  affine,
  maxPool2d,
  averagePool2d,
  matMul,
  reshape,
  padChannels,
  sliceChannels,
  softmax,
};

const quantizedKinds: Readonly<Record<QuantizedKind, true>> = {
  quantize: true,
  dequantize: true,
  quantizedConv2d: true,
};

interface Loaders {
  training(): Promise<Lowerings<TrainingKind> & Records>;
  quantized(): Promise<Lowerings<QuantizedKind> & Records>;
}

interface Records {
  readonly operandNames: Readonly<Record<string, string>>;
}

/** Those that not every page needs: loaded by who compiles a program with one, with their kernels. */
const loaders: Loaders = { training: () => import('./training.ts'), quantized: () => import('./quantized.ts') };

/** Kernels that come in a binary of their own. */
export type KernelSet = keyof Loaders;

const loaded: { [K in OpKind]?: unknown } = { ...common };

/** The sets that ops of these kinds are in, besides what is always there. */
export function kernelSetsOf(ops: readonly { readonly kind: OpKind }[]): ReadonlySet<KernelSet> {
  const sets = new Set<KernelSet>();
  for (const { kind } of ops) if (!(kind in common)) sets.add(kind in quantizedKinds ? 'quantized' : 'training');
  return sets;
}

export async function loadLowerings(set: KernelSet): Promise<void> {
  const { operandNames, ...lowerings } = await loaders[set]();
  addLayouts(set, operandNames);
  Object.assign(loaded, lowerings);
}

/** The lowering of ops of a kind. */
export function loweringOf<K extends OpKind>(kind: K): Lower<K> {
  return loaded[kind] as Lower<K>;
}
