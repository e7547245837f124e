import type { ImagesOn } from '../data/batch-source.ts';
import type { Preprocessing } from '../data/preprocessing.ts';
import type { ModelConfig } from '../config.ts';
import type { LossScale } from '../graphs/loss-scaling.ts';
import type { Model } from '../model.ts';
import type { Parameters } from '../parameters.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { CallbacksState } from '../train/callbacks/callbacks-state.ts';

/** All that is needed to use a model, and, from a training run of one of the families, all that is needed to go on with it. */
export type Checkpoint = RunCheckpoint | CheckpointOf<Model, null>;

/** A checkpoint that a training run has written. */
export type RunCheckpoint = CheckpointOf<ModelConfig, TrainingState>;

interface CheckpointOf<M extends Model, T extends TrainingState | null> {
  readonly model: M;
  readonly classNames: readonly string[];
  /** Null where nobody has said how images are prepared, in weights from elsewhere. */
  readonly preprocessing: Preprocessing | null;
  /** Weights and moving statistics. */
  readonly parameters: Parameters;
  /** Null in a file of weights alone. */
  readonly training: T;
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
  readonly callbacks: CallbacksState;
  /** The weights that EarlyStopping may put back at the end; null while it keeps none. */
  readonly keptWeights: Parameters | null;
  /** Null while training goes on, and where its end brought neither other weights nor a test. */
  readonly end: TrainingEnd | null;
  readonly optimizer: OptimizerState;
  /** Null without `lossScaling`. */
  readonly lossScale: LossScale | null;
}

/** By slot of the optimizer (m and v of Adam and AdamW, momentum of SGD), then by trainable parameter. */
type OptimizerState = Readonly<Record<string, Parameters>>;

/** Sums as they stand in the device's float32 accumulators. */
export interface MetricSums {
  readonly loss: number;
  readonly correct: number;
}

/** All options that the numbers depend on. */
export interface TrainSettings {
  /** Whole and as it was used, with everything that was changed in it. */
  readonly recipe: Recipe;
  /** Images in one run of the evaluation; the last bits of the validation loss depend on it. */
  readonly evaluationBatchSize: number;
  readonly seed: number;
  /** Where batches are put together; the last bits of shifted images depend on it, but on the wasm backend. */
  readonly imagesOn: ImagesOn;
  /** Whether the loss is scaled, for activations that are held as f16. */
  readonly lossScaling: boolean;
  /** Parts that a full batch is trained in, one after the other; left out for whole batches. */
  readonly parts?: number | undefined;
  /** Identities of the two data sets, after a split: see `datasetIdentity`. */
  readonly trainData: string;
  readonly validationData: string;
}

/** How training ended. */
export interface TrainingEnd {
  /** The epoch (from 1) whose weights were put back by EarlyStopping; null when they are those of the last epoch. */
  readonly restoredEpoch: number | null;
  /** Null when no test images were given. */
  readonly test: TestResult | null;
}

/** The test images, looked at once, with the weights that training ends with. */
export interface TestResult {
  /** With the L2 penalty, as Keras reports it. */
  readonly loss: number;
  readonly accuracy: number;
  readonly count: number;
}

/** One epoch, as Keras reports it: losses include the L2 penalty, training figures are means over the epoch's batches. */
export interface HistoryRecord {
  /** From 1. */
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly valLoss: number;
  readonly valAccuracy: number;
  /** Of its last step. */
  readonly learningRate: number;
}
