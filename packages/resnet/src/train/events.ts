import type { RunCheckpoint, HistoryRecord, TestResult, TrainingEnd } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../config.ts';
import type { ImagesOn } from '../data/batch-source.ts';
import type { ParameterCounts } from '../parameters.ts';
import type { Recipe } from '../recipe/recipe.ts';

export interface StartEvent {
  readonly type: 'start';
  readonly model: ModelConfig;
  readonly recipe: Recipe;
  readonly seed: number;
  /** The backend's device in words. */
  readonly device: string;
  readonly trainCount: number;
  readonly validationCount: number;
  readonly batchSize: number;
  readonly epochs: number;
  /** Steps of an epoch. */
  readonly steps: number;
  /** The epoch that begins or goes on, from 1. */
  readonly epoch: number;
  /** Steps done of it, and of all; above 0 after a resume. */
  readonly step: number;
  readonly globalStep: number;
  readonly parameters: ParameterCounts;
  readonly imagesOn: ImagesOn;
  /** Device memory for the values between ops, of the larger training program. */
  readonly arenaBytes: number;
  readonly memory: TrainingMemory | null;
}

/** Device memory of a run with a limit, as planned before the first step. */
export interface TrainingMemory {
  readonly limitBytes: number;
  /** Of everything: parameters, the optimizer's state, images, values between ops, kernels' records. */
  readonly plannedBytes: number;
  /** Values between ops of the larger training program, with recomputation and without. */
  readonly arenaBytes: number;
  readonly wholeArenaBytes: number;
  /** Ops of that program that are done twice, and their share of its arithmetic. */
  readonly recomputedOps: number;
  readonly recomputedShare: number;
  /** Parts that a full batch is trained in. */
  readonly parts: number;
}

export interface ProgressEvent {
  readonly type: 'progress';
  readonly epoch: number;
  /** Steps done of the epoch. */
  readonly step: number;
  readonly steps: number;
  readonly globalStep: number;
  /** Means over the epoch so far. */
  readonly loss: number;
  readonly accuracy: number;
  readonly learningRate: number;
  readonly imagesPerSecond: number;
  /** Until the epoch's training ends, its evaluation not counted. */
  readonly secondsLeft: number;
}

/** Progress of an epoch's evaluation, or of the final one on the test images. */
export interface ValidationEvent {
  readonly type: 'validation';
  readonly on: 'validation' | 'test';
  /** The epoch that runs; after the last one, that one. */
  readonly epoch: number;
  readonly done: number;
  readonly count: number;
}

/** One epoch and how fast it went. */
export interface EpochRecord extends HistoryRecord {
  /** Of training, in this process. */
  readonly imagesPerSecond: number;
  /** Of training and evaluation, in this process. */
  readonly seconds: number;
}

/** An epoch is trained and evaluated; its checkpoint follows. */
export interface EpochEvent {
  readonly type: 'epoch';
  readonly globalStep: number;
  readonly record: EpochRecord;
  /** The most device memory that was in use so far; null where the backend cannot tell. */
  readonly peakBytes: number | null;
}

/** What a callback says, at the end of an epoch. */
export interface CallbackMessageEvent {
  readonly type: 'message';
  readonly epoch: number;
  readonly globalStep: number;
  readonly level: 'info' | 'warning';
  readonly text: string;
}

/** Training has ended, not by the signal: the final evaluation, done once. The last checkpoint follows. */
export interface EndEvent extends TrainingEnd {
  readonly type: 'end';
  /** The last one. */
  readonly epoch: number;
  readonly globalStep: number;
}

/** A file that a ModelCheckpoint asks for. */
export interface CallbackFile {
  /** Inside the run's folder, with / between folders. */
  readonly path: string;
  readonly weightsOnly: boolean;
}

export interface CheckpointEvent {
  readonly type: 'checkpoint';
  readonly checkpoint: RunCheckpoint;
  readonly reason: 'epoch' | 'time' | 'interrupt' | 'end';
  /** True when an epoch has just reached the highest validation accuracy so far. */
  readonly best: boolean;
  /** Where to write it as well. */
  readonly files: readonly CallbackFile[];
}

export type TrainEvent =
  | StartEvent
  | ProgressEvent
  | ValidationEvent
  | EpochEvent
  | CallbackMessageEvent
  | CheckpointEvent
  | EndEvent;

export interface TrainResult {
  readonly checkpoint: RunCheckpoint;
  readonly history: readonly HistoryRecord[];
  readonly best: HistoryRecord | null;
  /** The test images, with the weights that training ended with; null when there are none, or the signal ended it. */
  readonly test: TestResult | null;
  /** True when the signal ended it. */
  readonly interrupted: boolean;
}
