import type { CallbackSettings } from '../../recipe/callbacks.ts';
import type { CallbackEffect, CallbackStep, EpochEnd } from './callback.ts';
import type { CallbacksState, CallbackState } from './callbacks-state.ts';
import { earlyStopping, startEarlyStopping } from './early-stopping.ts';
import { modelCheckpoint, startModelCheckpoint } from './model-checkpoint.ts';
import { reduceLROnPlateau, startReduceLROnPlateau } from './reduce-lr-on-plateau.ts';

export interface CallbacksStep {
  readonly state: CallbacksState;
  readonly effects: readonly CallbackEffect[];
}

/** The states before the first epoch. */
export function startCallbacks(callbacks: readonly CallbackSettings[]): CallbacksState {
  return { limit: null, stopped: false, states: callbacks.map(startState) };
}

/** As an epoch begins: a LearningRateScheduler that sets the rate forgets what has reduced it. */
export function beginEpoch(callbacks: readonly CallbackSettings[], state: CallbacksState): CallbacksState {
  const sets = callbacks.some((callback) => callback.kind === 'LearningRateScheduler' && callback.combine === 'set');
  return sets && state.limit !== null ? { ...state, limit: null } : state;
}

/** As an epoch ends: calls one after the other, each with the rate that those before it have left. */
export function endEpoch(callbacks: readonly CallbackSettings[], state: CallbacksState, end: EpochEnd): CallbacksStep {
  let { learningRate, logs } = end;
  let { limit, stopped } = state;
  const effects: CallbackEffect[] = [];
  const states = callbacks.map((settings, i) => {
    // As in Keras, this one brings the log up to date.
    if (settings.kind === 'LearningRateScheduler') logs = { ...logs, learning_rate: learningRate };
    const step = endOne(settings, state.states[i] ?? startState(settings), { ...end, logs, learningRate });
    for (const effect of step.effects) {
      if (effect.kind === 'learningRate') limit = learningRate = effect.value;
      if (effect.kind === 'stop') stopped = true;
    }
    effects.push(...step.effects);
    return step.state;
  });
  return { state: { limit, stopped, states }, effects };
}

function startState(settings: CallbackSettings): CallbackState {
  switch (settings.kind) {
    case 'ModelCheckpoint':
      return startModelCheckpoint(settings);
    case 'ReduceLROnPlateau':
      return startReduceLROnPlateau();
    case 'EarlyStopping':
      return startEarlyStopping();
    case 'LearningRateScheduler':
    case 'CSVLogger':
      return { kind: settings.kind };
    default:
      return settings satisfies never;
  }
}

function endOne(settings: CallbackSettings, state: CallbackState, end: EpochEnd): CallbackStep<CallbackState> {
  switch (settings.kind) {
    case 'ModelCheckpoint':
      return state.kind === settings.kind ? modelCheckpoint(settings, state, end) : mismatch(settings, state);
    case 'ReduceLROnPlateau':
      return state.kind === settings.kind ? reduceLROnPlateau(settings, state, end) : mismatch(settings, state);
    case 'EarlyStopping':
      return state.kind === settings.kind ? earlyStopping(settings, state, end) : mismatch(settings, state);
    case 'LearningRateScheduler':
    case 'CSVLogger':
      return { state, effects: [] };
    default:
      return settings satisfies never;
  }
}

function mismatch(settings: CallbackSettings, state: CallbackState): never {
  throw new Error(`a ${settings.kind} was given the state of a ${state.kind}`);
}
