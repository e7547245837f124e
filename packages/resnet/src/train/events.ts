import type { Checkpoint, HistoryRecord } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../config.ts';
import type { ImagesOn } from '../data/batch-source.ts';
import type { ParameterCounts } from '../parameters.ts';

export interface StartEvent {
  readonly type: 'start';
  readonly model: ModelConfig;
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

/** Progress of an epoch's evaluation. */
export interface ValidationEvent {
  readonly type: 'validation';
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
}

export interface CheckpointEvent {
  readonly type: 'checkpoint';
  readonly checkpoint: Checkpoint;
  readonly reason: 'epoch' | 'time' | 'interrupt';
  /** True when an epoch has just reached the highest validation accuracy so far. */
  readonly best: boolean;
}

export type TrainEvent = StartEvent | ProgressEvent | ValidationEvent | EpochEvent | CheckpointEvent;

export interface TrainResult {
  readonly checkpoint: Checkpoint;
  readonly history: readonly HistoryRecord[];
  readonly best: HistoryRecord | null;
  /** True when the signal ended it. */
  readonly interrupted: boolean;
}
