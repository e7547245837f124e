import type { MovingVariance } from '@skiplane/core';
import type { ModelConfig } from '../config.ts';
import type { ImagesOn } from '../data/batch-source.ts';
import type { Preprocessing } from '../data/preprocessing.ts';
import type { InterpolationOrder } from '../data/shift.ts';
import type { LossScale } from '../graphs/loss-scaling.ts';
import type { Parameters } from '../parameters.ts';
import type { LearningRate } from '../recipe.ts';

/** All that is needed to use a model, and, from a training run, all that is needed to go on with it. */
export interface Checkpoint {
  readonly model: ModelConfig;
  readonly classNames: readonly string[];
  readonly preprocessing: Preprocessing;
  /** Weights and moving statistics. */
  readonly parameters: Parameters;
  /** Null in a file of weights alone. */
  readonly training: TrainingState | null;
}

/**
 * Where a training run stands. No clock time is in it, nor anything that depends on one: the same run gives the same
 * bytes, however often it was interrupted.
 */
export interface TrainingState {
  readonly settings: TrainSettings;
  /** Steps since training began. */
  readonly step: number;
  /** Epochs that are trained and evaluated. */
  readonly epochsDone: number;
  /** Steps done of the epoch that runs; all of them when only its evaluation is left. */
  readonly position: number;
  /** Sums over those steps: Σ batch·loss, and the number of right first choices. */
  readonly metrics: MetricSums;
  readonly history: readonly HistoryRecord[];
  /** The epoch of the highest validation accuracy, the first of equals. */
  readonly best: HistoryRecord | null;
  readonly optimizer: {
    readonly m: Parameters;
    readonly v: Parameters;
    /** With `lossScaling` only. */
    readonly lossScale?: LossScale;
  };
}

/** Sums as they stand in the device's float32 accumulators. */
export interface MetricSums {
  readonly loss: number;
  readonly correct: number;
}

/** All options that the numbers depend on. */
export interface TrainSettings {
  readonly epochs: number;
  readonly batchSize: number;
  /** Images in one run of the evaluation; the last bits of the validation loss depend on it. */
  readonly evaluationBatchSize: number;
  readonly seed: number;
  readonly learningRate: LearningRate;
  readonly augment: boolean;
  readonly interpolationOrder: InterpolationOrder;
  readonly movingVariance: MovingVariance;
  /** Where batches are put together; the last bits of shifted images depend on it, but on the wasm backend. */
  readonly imagesOn: ImagesOn;
  /** Whether the loss is scaled, for activations that are held as f16. */
  readonly lossScaling: boolean;
  /** Identities of the two data sets: see `datasetIdentity`. */
  readonly trainData: string;
  readonly validationData: string;
}

/** One epoch, as Keras reports it: losses include the L2 penalty, training figures are means over the epoch's batches. */
export interface HistoryRecord {
  /** From 1. */
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly valLoss: number;
  readonly valAccuracy: number;
  readonly learningRate: number;
}
