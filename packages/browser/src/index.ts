export { createTrainer, type Trainer } from './trainer.ts';
export type { SavedEvent, TrainerEvent, TrainerResult } from './events.ts';
export type { DataInfo, DataSource, ImagesRequest, PickedImages } from './worker/requests/data.ts';
export type { LoadRequest, NetworkInfo, SaveRequest } from './worker/requests/files.ts';
export type { EvaluateRequest, PredictRequest } from './worker/requests/look.ts';
export type { TrainerOptions } from './worker/requests/open.ts';
export type { TrainRequest } from './worker/requests/training.ts';
export type { Picture } from './worker/picture.ts';
export type { Split } from './worker/state.ts';
