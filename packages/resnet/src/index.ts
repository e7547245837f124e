export { BatchPreparer, batchBuffers, type BatchBuffers } from './data/batch-preparer.ts';
export {
  epochOrder,
  noTransform,
  RandomTransforms,
  type Augmentation,
  type Mirror,
  type Transform,
} from './data/augmentation.ts';
export {
  HostImages,
  type BatchSource,
  type GatherBuffers,
  type ImagesOn,
  type PreparedBatch,
  type TransformOptions,
} from './data/batch-source.ts';
export { DeviceImages } from './data/device-images.ts';
export { cifar10ClassNames, parseCifar10Batch } from './data/cifar10.ts';
export { cifar10FromArchive } from './data/cifar10-archive.ts';
export type { Cifar10 } from './data/cifar10-collector.ts';
export { datasetIdentity, takeDataset, type Dataset } from './data/dataset.ts';
export { createPreprocessing, type Preprocessing } from './data/preprocessing.ts';
export { ImageShifter, type ImageShape, type InterpolationOrder } from './data/shift.ts';
export { splitDataset, type Split } from './data/split.ts';
export { syntheticDataset, type SyntheticOptions } from './data/synthetic.ts';

export { resnetLayer, type ResnetLayerOptions } from './blocks.ts';
export type {
  Architecture,
  BranchConvolution,
  Junction,
  Shortcut,
  Stage,
  Stem,
  UnitOrder,
} from './architecture/architecture.ts';
export { residualNet } from './architecture/residual-net.ts';
export { modelConfig, modelNames, modelType, type ModelConfig, type ModelOverrides } from './config.ts';
export type { Family } from './families/index.ts';
export {
  NetworkBuilder,
  type ConvOptions,
  type ConvPadding,
  type Layer,
  type Mode,
  type NetworkOptions,
  type PoolOptions,
} from './network-builder.ts';
export { plainNet } from './plain.ts';
export { resnetV1, type NetOptions } from './v1.ts';
export { resnetV2 } from './v2.ts';

export {
  labNames,
  labOf,
  labs,
  netsOf,
  type Lab,
  type LabGroup,
  type LabName,
  type LabNet,
  type PublishedError,
} from './lab/labs.ts';
export { LayerProbe, type LayerMeasure, type LayerProbeOptions } from './lab/layer-probe.ts';
export { loadModel, type LoadedModel, type LoadModelOptions, type ModelSource } from './load-model.ts';
export type {
  FileFormat,
  FileTensor,
  ImportedNetwork,
  ModelFile,
  NetworkOutline,
  OpenOptions,
  OptimizerSnapshot,
} from './formats/model-file.ts';
export { openModelFile } from './open-model-file.ts';
export type { ByteSource } from './byte-source.ts';
export { addressOf, fetchFile } from './fetch-file.ts';
export {
  encodeModel,
  writtenFormats,
  type EncodedModel,
  type SavableModel,
  type WrittenFormat,
} from './encode-model.ts';
export { foldLayers, type Weighted } from './layer-graph/fold-layers.ts';
export { layerGraphOf } from './layer-graph/layer-graph-of.ts';
export type { LayerAttrs, LayerGraph, LayerKind, LayerNode } from './layer-graph/layer-graph.ts';
export { isLayerGraph, type Model, type ModelShape } from './model.ts';
export { needPreprocessing } from './need-preprocessing.ts';
export {
  parsePreprocessing,
  preprocessingPresets,
  resolvePreprocessing,
  type PreprocessingInput,
  type PreprocessingNumbers,
  type PreprocessingPreset,
} from './preprocessing-input.ts';

export { optimizerRule, optimizerStateName, type OptimizerRule } from './graphs/optimizer.ts';
export { evaluationGraph, type EvaluationGraphOptions } from './graphs/evaluation.ts';
export { inferenceGraph, type BatchOption, type InferenceGraphOptions } from './graphs/inference.ts';
export type { GatheredImages, ModelGraph } from './graphs/model-graph.ts';
export type { LossScale } from './graphs/loss-scaling.ts';
export { lossGraph, trainingGraph, type LossGraph, type TrainingGraphOptions } from './graphs/training.ts';
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
export { isForDevice, kerasAugmentation, type AugmentationSettings } from './recipe/augmentation.ts';
export { builtInRecipes, isRecipeName, recipeNames, type RecipeName } from './recipe/built-in.ts';
export { metricNames, type CallbackSettings, type MetricName } from './recipe/callbacks.ts';
export { kerasBatchNorm, kerasL2, type BatchNormSettings, type L2Settings } from './recipe/keras-constants.ts';
export type { Difference } from './recipe/differences.ts';
export { shown as showSetting } from './recipe/json.ts';
export { recipeNotes } from './recipe/notes.ts';
export { kerasAdam, kerasAdamW, type OptimizerSettings } from './recipe/optimizer.ts';
export type { Recipe, ValidationSettings } from './recipe/recipe.ts';
export { resolveRecipe, type RecipeChanges, type RecipeInput } from './recipe/resolve.ts';
export { dependsOnEpochs, kerasSchedule, learningRateAt, type Schedule, type ScheduleTime } from './recipe/schedule.ts';
export { parseSetting, recipeWithSettings, type Setting } from './recipe/settings.ts';
export { recipeChanges, type LearningRate, type RecipeShortcuts } from './recipe/shortcuts.ts';
export { summarize, type LayerSummary, type ModelSummary } from './summarize.ts';

export { Explainer, type ExplainerOptions, type Explanation } from './explain/explainer.ts';
export { explainGraph, type ExplainGraphOptions } from './explain/explain-graph.ts';
export { firstFilters, type FirstFilters } from './explain/first-filters.ts';
export type { FeatureMap } from './explain/grad-cam.ts';
export { lastImageLayer, residualStream } from './explain/layers-to-show.ts';

export type {
  Checkpoint,
  HistoryRecord,
  MetricSums,
  RunCheckpoint,
  TestResult,
  TrainingEnd,
  TrainingState,
  TrainSettings,
} from './checkpoint/checkpoint.ts';
export { decodeCheckpoint } from './checkpoint/decode.ts';
export { encodeCheckpoint } from './checkpoint/encode.ts';
export { isQuantized, quantizeModel } from './quantize/quantize-model.ts';
export type { CalibrationOptions } from './quantize/calibrate.ts';
export { sha256 } from './sha256.ts';
export { parametersIdentity } from './checkpoint/identity.ts';
export { decodeSafetensors, encodeSafetensors, type NamedTensor, type Safetensors } from './checkpoint/safetensors.ts';

export { evaluateModel, type EvaluateOptions, type Evaluation } from './evaluate/evaluate-model.ts';
export { worstMistakes, type Mistake } from './evaluate/mistakes.ts';
export { classResults, type ClassResult } from './evaluate/per-class.ts';
export { Evaluator, InferenceProgram, type FoldOptions } from './evaluate/evaluator.ts';
export { pipelined, type BatchWork } from './pipelined.ts';
export { Predictor, predictImages, type Prediction, type PredictOptions, type PredictorOptions } from './predict.ts';
export { beginEpoch, endEpoch, startCallbacks, type CallbacksStep } from './train/callbacks/callback-list.ts';
export type { CallbacksState, CallbackState } from './train/callbacks/callbacks-state.ts';
export { csvLines, type EpochLogs } from './train/callbacks/csv-logger.ts';
export type { CallbackEffect, EpochEnd } from './train/callbacks/callback.ts';
export type {
  CallbackFile,
  CallbackMessageEvent,
  CheckpointEvent,
  EndEvent,
  EpochEvent,
  EpochRecord,
  ProgressEvent,
  StartEvent,
  TrainingMemory,
  TrainEvent,
  TrainResult,
  ValidationEvent,
} from './train/events.ts';
export type { TrainOptions } from './train/options.ts';
export { recipeDifferences } from './train/resume.ts';
export { train } from './train/train.ts';
export { TrainingStep, type TrainingStepOptions } from './train/training-step.ts';
export { TrainingTensors } from './train/training-tensors.ts';
