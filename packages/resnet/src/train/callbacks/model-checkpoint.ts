import type { ModelCheckpointSettings } from '../../recipe/callbacks.ts';
import { formatPattern } from '../../recipe/file-pattern.ts';
import {
  info,
  isImprovement,
  monitored,
  warning,
  type CallbackEffect,
  type CallbackStep,
  type EpochEnd,
} from './callback.ts';

export interface ModelCheckpointState {
  readonly kind: 'ModelCheckpoint';
  /** The best value so far. */
  readonly best: number | null;
  /** The file that was written last, and the epoch (from 1) whose end it holds. */
  readonly saved: { readonly epoch: number; readonly file: string } | null;
}

export function startModelCheckpoint({ initialValueThreshold }: ModelCheckpointSettings): ModelCheckpointState {
  return { kind: 'ModelCheckpoint', best: initialValueThreshold, saved: null };
}

/** Keras's ModelCheckpoint.on_epoch_end with save_freq 'epoch': without its metric it warns, and saves. */
export function modelCheckpoint(
  settings: ModelCheckpointSettings,
  state: ModelCheckpointState,
  end: EpochEnd,
): CallbackStep<ModelCheckpointState> {
  const { saveBestOnly, saveWeightsOnly, verbose, monitor } = settings;
  const epoch = end.epoch + 1;
  const file = formatPattern(settings.filepath, { ...end.logs, epoch, model: end.model });
  const say = (text: string): readonly CallbackEffect[] => (verbose === 1 ? [info(`Epoch ${epoch}: ${text}`)] : []);
  const save = (best: number | null, ...before: readonly CallbackEffect[]): CallbackStep<ModelCheckpointState> => ({
    state: { ...state, best, saved: { epoch, file } },
    effects: [...before, { kind: 'save', file, weightsOnly: saveWeightsOnly }],
  });
  if (!saveBestOnly) return save(state.best, ...say(`saving model to ${file}`));
  const current = monitored(end, settings);
  if (current === undefined) {
    return save(state.best, warning(`Can save best model only with ${monitor} available.`));
  }
  const before = state.best?.toFixed(5) ?? 'None';
  return isImprovement(current, state.best, settings)
    ? save(current, ...say(`${monitor} improved from ${before} to ${current.toFixed(5)}, saving model to ${file}`))
    : { state, effects: say(`${monitor} did not improve from ${before}`) };
}
