import type { CheckpointEvent, TrainEvent, TrainResult } from '@skiplane/resnet';

/** A checkpoint is there: it stays in the worker, and `save` gives its bytes. */
export type SavedEvent = Omit<CheckpointEvent, 'checkpoint'>;

/** The trainer's own events, checkpoints without the weights. */
export type TrainerEvent = Exclude<TrainEvent, CheckpointEvent> | SavedEvent;

/** How a run ended. */
export type TrainerResult = Omit<TrainResult, 'checkpoint'>;
