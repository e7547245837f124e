/** What programs need that load a network and predict: in Node they start sooner with it than with all of this library. */
export { loadModel, type LoadedModel, type LoadModelOptions, type ModelSource } from './load-model.ts';
export { Predictor, predictImages, type Prediction, type PredictOptions, type PredictorOptions } from './predict.ts';
