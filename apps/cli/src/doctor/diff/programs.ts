import { allocate, elementCount, foldBatchNorm, inputValues, type Graph, type TypedArray } from '@skiplane/core';
import {
  batchBuffers,
  BatchPreparer,
  builtInRecipes,
  createPreprocessing,
  inferenceGraph,
  initialParameters,
  optimizerRule,
  optimizerStateName,
  syntheticDataset,
  trainingGraph,
  type BatchBuffers,
  isLayerGraph,
  type LoadedModel,
  type Model,
  type ModelConfig,
  type Preprocessing,
  type Recipe,
} from '@skiplane/resnet';
import { CommandError } from '../../errors.ts';
import type { Data } from '../run-graph.ts';

/** A graph as a backend gets it, not fused yet, and data for all of its inputs. */
export interface DiffProgram {
  readonly name: string;
  readonly graph: Graph;
  readonly inputs: Data;
}

export interface Draw {
  readonly batch: number;
  /** Of the images, and of the parameters where none are given. */
  readonly seed: number;
}

/** The first training step of a new network. */
export function newPrograms(model: ModelConfig, { batch, seed }: Draw): readonly DiffProgram[] {
  const images = drawImages(model, null, { batch, seed });
  const state = new Map([...initialParameters(model, seed), ...images]);
  return [trainingProgram(model, batch, builtInRecipes.keras, state, 0)];
}

/** The next training step of a checkpoint, by its recipe (but of a graph of layers, which is not trained), and inference with its weights, batch norms folded as `predict` does. */
export function checkpointPrograms(
  checkpoint: Omit<LoadedModel, 'format' | 'metadata' | 'optimizer'>,
  { batch, seed }: Draw,
): readonly DiffProgram[] {
  const { model, parameters, preprocessing, training } = checkpoint;
  const images = drawImages(model, preprocessing, { batch, seed });
  const state = new Map<string, TypedArray>([...parameters, ...images]);
  for (const [slot, tensors] of Object.entries(training?.optimizer ?? {})) {
    for (const [name, data] of tensors) state.set(optimizerStateName(slot, name), data);
  }
  const { graph } = inferenceGraph(model, { batch });
  const folded = foldBatchNorm(graph);
  const weights = new Map<string, TypedArray>([...folded.fold(parameters), ...images]);
  const inference = complete('inference', folded.graph, weights);
  if (isLayerGraph(model)) return [inference];
  const recipe = training?.settings.recipe ?? builtInRecipes.keras;
  return [trainingProgram(model, batch, recipe, state, training?.step ?? 0), inference];
}

const learningRate = 1e-3;

function trainingProgram(model: ModelConfig, batch: number, recipe: Recipe, state: Data, step: number): DiffProgram {
  const { optimizer, batchNorm, l2, labelSmoothing } = recipe;
  const { graph } = trainingGraph(model, { batch, optimizer, batchNorm, l2, labelSmoothing });
  const scalars = Object.entries(optimizerRule(optimizer).scalars).map(
    ([name, valueAt]) => [name, Float32Array.of(valueAt(learningRate, step))] as const,
  );
  return complete('a training step', graph, new Map([...state, ...scalars]));
}

/** Takes the data that the graph has inputs for; the rest, such as sums and moments of a new training, are zeros. */
function complete(name: string, graph: Graph, data: Data): DiffProgram {
  const inputs = new Map<string, TypedArray>();
  for (const { name: input = '', shape, dtype } of inputValues(graph)) {
    inputs.set(input, data.get(input) ?? allocate(dtype, elementCount(shape)));
  }
  return { name, graph, inputs };
}

/** Images to take the mean of: of the batch alone it would leave nothing of the batch's own mean. */
const imagesOfMean = 200;

/** Synthetic images and their labels, as `x` and `labels`. */
function drawImages(model: Model, preprocessing: Preprocessing | null, { batch, seed }: Draw): Data {
  const [size, width] = model.imageSize;
  const data = syntheticDataset({ count: Math.max(batch, imagesOfMean), seed, split: 'train', size });
  if (width !== size || model.channels !== data.channels || model.classes !== data.classNames.length) {
    throw new CommandError(
      `${model.name} of the checkpoint takes images of ${size}×${width}×${model.channels} in ${model.classes} classes; ` +
        `doctor draws square images of ${data.channels} channels in ${data.classNames.length} classes only.`,
    );
  }
  const buffers: BatchBuffers = batchBuffers(data, batch);
  new BatchPreparer(data, preprocessing ?? createPreprocessing(data)).prepare(null, 0, batch, buffers, null);
  return new Map([
    ['x', buffers.images],
    ['labels', buffers.labels],
  ]);
}
