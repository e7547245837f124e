import {
  batchBuffers,
  BatchPreparer,
  firstFilters as filtersOf,
  needPreprocessing,
  takeDataset,
  type Explanation,
  type FirstFilters,
  type LayerMeasure,
} from '@skiplane/resnet';
import { picturePixels, type Picture } from '../picture.ts';
import type { WorkerState } from '../state.ts';

export interface ExplainRequest {
  readonly picture: Picture;
  /** The class whose score Grad-CAM explains (default: the likeliest). */
  readonly classIndex?: number;
}

/** An explanation, and what it is of. */
export interface ExplainedPicture extends Explanation {
  /** The picture as the network gets it: height × width × channels, 0 to 255. */
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly classNames: readonly string[];
}

export interface MeasureRequest {
  /** So many of the first training images are the batch. */
  readonly count: number;
}

/** Looks into the present network: feature maps and Grad-CAM of a picture. */
export async function explain(state: WorkerState, { picture, classIndex }: ExplainRequest): Promise<ExplainedPicture> {
  const { model, classNames } = state.network;
  const pixels = await picturePixels(picture, model);
  const explainer = await state.programs.explainer(state.backend, state.network);
  const [height, width] = model.imageSize;
  return { ...(await explainer.explain(pixels, classIndex)), pixels, height, width, classNames };
}

/** The first layer's filters of the present network. */
export function firstFilters({ network: { model, parameters } }: WorkerState): FirstFilters {
  return filtersOf(model, parameters);
}

/** Responses and gradient norms of the present network's layers. */
export async function measureLayers(state: WorkerState, { count }: MeasureRequest): Promise<readonly LayerMeasure[]> {
  const { model, parameters, preprocessing } = state.network;
  const data = state.split('train');
  const batch = takeDataset(data, 0, Math.min(count, data.count));
  const buffers = batchBuffers(batch, batch.count);
  new BatchPreparer(batch, await needPreprocessing(model, preprocessing)).prepare(null, 0, batch.count, buffers, null);
  const probe = await state.programs.probe(state.backend, state.network, batch.count);
  return await probe.measure(parameters, buffers);
}
