import type { EarlyStoppingSettings } from '../../recipe/callbacks.ts';
import {
  availableMetrics,
  info,
  isImprovement,
  monitored,
  warning,
  type CallbackEffect,
  type CallbackStep,
  type EpochEnd,
} from './callback.ts';

export interface EarlyStoppingState {
  readonly kind: 'EarlyStopping';
  readonly best: number | null;
  /** From 0. */
  readonly bestEpoch: number;
  readonly wait: number;
  /** The epoch (from 1) whose weights are kept to end with; null while none are. */
  readonly keptEpoch: number | null;
}

export function startEarlyStopping(): EarlyStoppingState {
  return { kind: 'EarlyStopping', best: null, bestEpoch: 0, wait: 0, keptEpoch: null };
}

/** Keras's EarlyStopping.on_epoch_end. */
export function earlyStopping(
  settings: EarlyStoppingSettings,
  state: EarlyStoppingState,
  end: EpochEnd,
): CallbackStep<EarlyStoppingState> {
  const { baseline, patience, restoreBestWeights, startFromEpoch, monitor, verbose } = settings;
  const { epoch } = end;
  const current = monitored(end, settings);
  if (current === undefined) {
    const text =
      `Early stopping conditioned on metric \`${monitor}\` which is not available. ` +
      `Available metrics are: ${availableMetrics(end)}`;
    return { state, effects: [warning(text)] };
  }
  if (epoch < startFromEpoch) return { state, effects: [] };
  const improved = isImprovement(current, state.best, settings);
  const keeps = restoreBestWeights && (improved || state.keptEpoch === null);
  const effects: CallbackEffect[] = keeps ? [{ kind: 'keepWeights' }] : [];
  const keptEpoch = keeps ? epoch + 1 : state.keptEpoch;
  const wait = state.wait + 1;
  if (improved) {
    // Waiting begins anew only when the baseline is beaten too.
    const beatsBaseline = baseline === null || isImprovement(current, baseline, settings);
    return {
      state: { ...state, best: current, bestEpoch: epoch, wait: beatsBaseline ? 0 : wait, keptEpoch },
      effects,
    };
  }
  if (wait >= patience && epoch > 0) {
    effects.push({ kind: 'stop' });
    if (verbose === 1) effects.push(info(`Epoch ${epoch + 1}: early stopping`));
  }
  return { state: { ...state, wait, keptEpoch }, effects };
}
