import type { EarlyStoppingState } from './early-stopping.ts';
import type { ModelCheckpointState } from './model-checkpoint.ts';
import type { ReduceLROnPlateauState } from './reduce-lr-on-plateau.ts';

export type CallbackState =
  | ModelCheckpointState
  | ReduceLROnPlateauState
  | EarlyStoppingState
  | { readonly kind: 'LearningRateScheduler' }
  | { readonly kind: 'CSVLogger' };

/** Where all callbacks of a run stand, plain JSON. */
export interface CallbacksState {
  /** The rate that ReduceLROnPlateau has left, which the schedule's does not exceed; null for no such limit. */
  readonly limit: number | null;
  /** True when one of them has ended training. */
  readonly stopped: boolean;
  /** In the order of the recipe's callbacks. */
  readonly states: readonly CallbackState[];
}

/** The epoch (from 1) whose weights EarlyStopping keeps to end training with; null when it keeps none. */
export function keptEpoch({ states }: CallbacksState): number | null {
  for (const state of states) if (state.kind === 'EarlyStopping' && state.keptEpoch !== null) return state.keptEpoch;
  return null;
}
