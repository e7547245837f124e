/** How a training step changes the parameters, as data: the classes of `keras.optimizers` under their names. */
export type OptimizerSettings = AdamSettings | AdamWSettings | SgdSettings;

export interface AdamSettings {
  readonly kind: 'adam';
  readonly beta1: number;
  readonly beta2: number;
  /** In the epsilon-hat form: added to √v after the bias correction went into the rate. */
  readonly epsilon: number;
}

/** Adam, and before each of its steps w ← w − learningRate·weightDecay·w, which no moment sees. */
export interface AdamWSettings extends Omit<AdamSettings, 'kind'> {
  readonly kind: 'adamW';
  readonly weightDecay: number;
  /**
   * Parameters whose name contains one of these do not decay, such as `['bias', 'gamma', 'beta']`; with none, all
   * trainable parameters do, as in Keras.
   */
  readonly excludeFromWeightDecay: readonly string[];
}

/** m ← momentum·m − learningRate·g; w ← w + m, or with `nesterov` w ← w + momentum·m − learningRate·g. */
export interface SgdSettings {
  readonly kind: 'sgd';
  /** From 0, plain gradient descent, to 1. */
  readonly momentum: number;
  readonly nesterov: boolean;
}

/** Keras's defaults of Adam. */
export const kerasAdam: AdamSettings = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };

/** Keras's defaults of AdamW. */
export const kerasAdamW: AdamWSettings = {
  ...kerasAdam,
  kind: 'adamW',
  weightDecay: 0.004,
  excludeFromWeightDecay: [],
};
