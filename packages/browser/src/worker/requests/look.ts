import {
  evaluateModel,
  worstMistakes,
  type EvaluateOptions,
  type Evaluation,
  type Mistake,
  type Prediction,
} from '@skiplane/resnet';
import { picturePixels, type Picture } from '../picture.ts';
import type { Split, WorkerState } from '../state.ts';

export interface PredictRequest {
  readonly picture: Picture;
  /** How many classes to name (default: all of them). */
  readonly topK?: number;
}

export interface EvaluateRequest extends Pick<EvaluateOptions, 'batchSize' | 'limit' | 'topK' | 'flip'> {
  /** Default: the test images. */
  readonly split?: Split;
  /** How many of the worst mistakes to list (default: none). */
  readonly mistakes?: number;
}

/** What the present network sees in a picture, likeliest first. */
export async function predict(state: WorkerState, { picture, topK }: PredictRequest): Promise<readonly Prediction[]> {
  const { model } = state.network;
  const predictor = await state.predictor;
  const [predictions = []] = await predictor.predict(await picturePixels(picture, model), topK);
  return predictions;
}

export interface EvaluatedImages extends Evaluation {
  readonly mistakes: readonly Mistake[];
}

/** Evaluates the present network on loaded images. @throws what `evaluateModel` throws */
export async function evaluate(
  state: WorkerState,
  { split = 'test', mistakes = 0, ...options }: EvaluateRequest,
): Promise<EvaluatedImages> {
  const { model, parameters, preprocessing, training } = state.network;
  const { backend } = state;
  const l2 = training?.settings.recipe.l2;
  const data = state.split(split);
  const evaluation = await evaluateModel({ ...options, backend, model, parameters, preprocessing, l2, data });
  return { ...evaluation, mistakes: worstMistakes(evaluation, data.labels, mistakes) };
}
