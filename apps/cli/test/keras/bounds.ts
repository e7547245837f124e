import type { Candidate } from './candidates.ts';
import type { Float32Error, KerasModel } from './fixtures.ts';
import { readJson } from './fixtures.ts';

const float32Error = readJson('float32-error.json') as Float32Error;

/** Keras's own float32 run, of what is not zero but for rounding: the largest error of a quantity, such as `weights`. */
export function kerasError(model: KerasModel, part: string, quantity: string, besides: readonly string[] = []): number {
  const errors = float32Error.relative[model]?.[part] ?? {};
  const left = new Set(besides.map((name) => `${quantity}/${name}`));
  const of = Object.entries(errors).filter(
    ([name]) => (name === quantity || name.startsWith(`${quantity}/`)) && !left.has(name),
  );
  if (of.length === 0) throw new Error(`float32-error.json has no ${quantity} of ${model} ${part}`);
  return Math.max(...of.map(([, error]) => error));
}

/** Rounding a result to float32. */
const half = 2 ** -24;

interface Bounds {
  readonly inference: number;
  readonly loss: number;
  readonly gradients: number;
  /** Of gradients in front of a ReLU that may be on the other side: see docs/keras.md. */
  readonly kink: number;
  readonly moving: number;
}

/**
 * Relative, in the L2 norm, of each tensor. The oracle computes in float64, so nothing but the reading of a result as float32 is
 * left. Float32 backends round in every op: Keras's own float32 run is off by up to 3e-7 in logits, by 2e-6 in gradients, by
 * 2.6e-3 in those in front of a ReLU that it has on the other side, and by 5e-8 in moving statistics; a Winograd
 * convolution rounds a few times more than a direct one. Which net meets such a ReLU is chance: another order of summation decides it.
 */
export function boundsOf({ name }: Candidate): Bounds {
  if (name === 'reference') return { inference: half, loss: half, gradients: half, kink: half, moving: half };
  return { inference: 1e-6, loss: 5e-7, gradients: 1e-5, kink: 1e-2, moving: 2e-7 };
}

/**
 * Which ReLU is at its kink is chance, and ten steps amplify it: weights that begin off by up to a unit in their last place end up
 * with losses off by 6e-8 to 5.1e-4, and an L2 penalty off by 7e-10 to 4.1e-6 (docs/keras.md). So twice the largest of these; weights and
 * moments have four times the largest error of Keras in float32, in any run.
 */
const chance: Readonly<Record<string, number>> = { losses: 1e-3, l2: 1e-5, weights: 1.4e-2, m: 0.5, v: 0.2 };

/** The same after ten steps. The oracle's rates are rounded to float32, which the steps amplify. */
export function tenStepsBound({ name }: Candidate, quantity: string): number {
  return name === 'reference' ? 1e-7 : (chance[quantity] ?? 0);
}

/** By how many images of a batch the right ones may differ, after the first step: weights that are off choose another class where two are close. */
export function imagesBound({ name }: Candidate): number {
  return name === 'reference' ? 0 : 1;
}
