export { BatchPreparer, batchBuffers, type BatchBuffers } from './data/batch-preparer.ts';
export {
  HostImages,
  type BatchSource,
  type GatherBuffers,
  type ImagesOn,
  type PreparedBatch,
  type TransformOptions,
} from './data/batch-source.ts';
export { DeviceImages } from './data/device-images.ts';
export { epochOrder, RandomTransforms, type Augmentation, type Transform } from './data/augmentation.ts';
export { cifar10ClassNames, parseCifar10Batch } from './data/cifar10.ts';
export { cifar10FromArchive } from './data/cifar10-archive.ts';
export type { Cifar10 } from './data/cifar10-collector.ts';
export { datasetIdentity, takeDataset, type Dataset } from './data/dataset.ts';
export { createPreprocessing, type Preprocessing } from './data/preprocessing.ts';
export { ImageShifter, type ImageShape, type InterpolationOrder } from './data/shift.ts';
export { syntheticDataset, type SyntheticOptions } from './data/synthetic.ts';

export { resnetLayer, type ResnetLayerOptions } from './blocks.ts';
export { modelConfig, modelType, type Family, type ModelConfig, type ModelOverrides } from './config.ts';
export { NetworkBuilder, type ConvOptions, type Layer, type Mode, type NetworkOptions } from './network-builder.ts';
export { plainNet } from './plain.ts';
export { resnetV1, type NetOptions } from './v1.ts';
export { resnetV2 } from './v2.ts';

export { evaluationGraph, type EvaluationGraphOptions } from './graphs/evaluation.ts';
export { inferenceGraph, type BatchOption } from './graphs/inference.ts';
export type { GatheredImages, ModelGraph } from './graphs/model-graph.ts';
export type { LossScale } from './graphs/loss-scaling.ts';
export {
  lossGraph,
  optimizerNames,
  trainingGraph,
  type LossGraph,
  type TrainingGraphOptions,
} from './graphs/training.ts';
export { initialParameters, parameterSpecs } from './initial-parameters.ts';
export {
  countParameters,
  l2Penalty,
  type Initializer,
  type ParameterCounts,
  type ParameterSpec,
  type Parameters,
} from './parameters.ts';
export { plannedMemory, type PlannedMemory, type PlannedMemoryOptions } from './planned-memory.ts';
export {
  kerasAdam,
  kerasBatchNorm,
  kerasL2,
  kerasSchedule,
  kerasTraining,
  learningRateAt,
  type AdamOptions,
  type LearningRate,
} from './recipe.ts';
export { summarize, type LayerSummary, type ModelSummary } from './summarize.ts';

export type { Checkpoint, HistoryRecord, MetricSums, TrainingState, TrainSettings } from './checkpoint/checkpoint.ts';
export { decodeCheckpoint } from './checkpoint/decode.ts';
export { encodeCheckpoint } from './checkpoint/encode.ts';
export { decodeSafetensors, encodeSafetensors, type NamedTensor, type Safetensors } from './checkpoint/safetensors.ts';

export { evaluateModel, type EvaluateOptions, type Evaluation } from './evaluate/evaluate-model.ts';
export { Evaluator, InferenceProgram, type FoldOptions } from './evaluate/evaluator.ts';
export { pipelined, type BatchWork } from './pipelined.ts';
export { Predictor, predictImages, type Prediction, type PredictOptions, type PredictorOptions } from './predict.ts';
export type {
  CheckpointEvent,
  EpochEvent,
  EpochRecord,
  ProgressEvent,
  StartEvent,
  TrainEvent,
  TrainResult,
  ValidationEvent,
} from './train/events.ts';
export type { TrainOptions } from './train/options.ts';
export { train } from './train/train.ts';
export { TrainingStep, type TrainingStepOptions } from './train/training-step.ts';
export { TrainingTensors } from './train/training-tensors.ts';
