import type { ReduceLROnPlateauSettings } from '../../recipe/callbacks.ts';
import {
  availableMetrics,
  info,
  isImprovement,
  monitored,
  warning,
  type CallbackStep,
  type EpochEnd,
} from './callback.ts';

export interface ReduceLROnPlateauState {
  readonly kind: 'ReduceLROnPlateau';
  readonly best: number | null;
  /** Epochs since the metric became better. */
  readonly wait: number;
  /** Epochs of the cooldown that are left. */
  readonly cooldown: number;
}

export function startReduceLROnPlateau(): ReduceLROnPlateauState {
  return { kind: 'ReduceLROnPlateau', best: null, wait: 0, cooldown: 0 };
}

/** Keras's ReduceLROnPlateau.on_epoch_end. */
export function reduceLROnPlateau(
  settings: ReduceLROnPlateauSettings,
  state: ReduceLROnPlateauState,
  end: EpochEnd,
): CallbackStep<ReduceLROnPlateauState> {
  const current = monitored(end, settings);
  if (current === undefined) {
    const text =
      `Learning rate reduction is conditioned on metric \`${settings.monitor}\` which is not available. ` +
      `Available metrics are: ${availableMetrics(end)}.`;
    return { state, effects: [warning(text)] };
  }
  const cooldown = Math.max(state.cooldown - 1, 0);
  const wait = state.cooldown > 0 ? 0 : state.wait;
  if (isImprovement(current, state.best, settings)) {
    return { state: { ...state, best: current, wait: 0, cooldown }, effects: [] };
  }
  if (cooldown > 0) return { state: { ...state, wait, cooldown }, effects: [] };
  const reduces = wait + 1 >= settings.patience && end.learningRate > settings.minLr;
  if (!reduces) return { state: { ...state, wait: wait + 1, cooldown }, effects: [] };
  const value = Math.max(end.learningRate * settings.factor, settings.minLr);
  const text = `Epoch ${end.epoch + 1}: ReduceLROnPlateau reducing learning rate to ${value}.`;
  return {
    state: { ...state, wait: 0, cooldown: settings.cooldown },
    effects: [{ kind: 'learningRate', value }, ...(settings.verbose === 1 ? [info(text)] : [])],
  };
}
