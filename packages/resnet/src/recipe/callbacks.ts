/** Callbacks under Keras's names, as data; arguments have Keras's names in camelCase, its defaults and its meaning. */
export type CallbackSettings =
  | ModelCheckpointSettings
  | ReduceLROnPlateauSettings
  | LearningRateSchedulerSettings
  | EarlyStoppingSettings
  | CSVLoggerSettings;

/** What a callback can watch: the names of Keras's logs. */
export const metricNames = ['accuracy', 'loss', 'val_accuracy', 'val_loss', 'learning_rate'] as const;
export type MetricName = (typeof metricNames)[number];

/** Which metric is watched, and whether less or more of it is better; 'auto' knows losses and accuracies. */
export interface MonitorSettings {
  readonly monitor: string;
  readonly mode: 'auto' | 'min' | 'max';
}

/** Writes a checkpoint at the end of an epoch. */
export interface ModelCheckpointSettings extends MonitorSettings {
  readonly kind: 'ModelCheckpoint';
  /**
   * A path inside the run's folder that ends in .safetensors, with the placeholders `{epoch:03d}` (from 1), `{model}`, and
   * metrics such as `{val_loss:.2f}`.
   */
  readonly filepath: string;
  /** Only when the metric is strictly better than ever before. */
  readonly saveBestOnly: boolean;
  /** Without the optimizer's state. */
  readonly saveWeightsOnly: boolean;
  /** What the metric has to beat at first. */
  readonly initialValueThreshold: number | null;
  readonly verbose: 0 | 1;
}

/** Multiplies the learning rate by `factor` when the metric has not become better by `minDelta` for `patience` epochs. */
export interface ReduceLROnPlateauSettings extends MonitorSettings {
  readonly kind: 'ReduceLROnPlateau';
  readonly factor: number;
  readonly patience: number;
  readonly minDelta: number;
  /** Epochs after a reduction that do not count. */
  readonly cooldown: number;
  readonly minLr: number;
  readonly verbose: 0 | 1;
}

/**
 * How the recipe's schedule and ReduceLROnPlateau go together. 'set' is Keras: the schedule's rate is set as every epoch
 * begins, and a reduction of the evening before is lost. 'min': the smaller of both, which is also what happens without
 * this callback.
 */
interface LearningRateSchedulerSettings {
  readonly kind: 'LearningRateScheduler';
  readonly combine: 'set' | 'min';
}

/** Ends training when the metric has not become better by `minDelta` for `patience` epochs. */
export interface EarlyStoppingSettings extends MonitorSettings {
  readonly kind: 'EarlyStopping';
  readonly minDelta: number;
  readonly patience: number;
  /** The patience begins anew only with a metric that is better than this, too. */
  readonly baseline: number | null;
  /** Training ends with the weights of the best epoch, however it ends. */
  readonly restoreBestWeights: boolean;
  /** Epochs before this one (from 0) do not count. */
  readonly startFromEpoch: number;
  readonly verbose: 0 | 1;
}

/** Writes a line an epoch: epoch (from 0), then the metrics in the order of the alphabet. */
export interface CSVLoggerSettings {
  readonly kind: 'CSVLogger';
  /** A path inside the run's folder that ends in .csv. */
  readonly filename: string;
  readonly separator: string;
  /** Keep what the file held before the run. */
  readonly append: boolean;
}
