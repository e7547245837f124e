import { GraphBuilder, type Graph, type ValueId } from '@skiplane/core';
import type { Model } from '../model.ts';
import type { ParameterSpec } from '../parameters.ts';
import type { OptimizerSettings } from '../recipe/optimizer.ts';
import { lossScaleInput } from './loss-scaling.ts';
import type { ModelGraph } from './model-graph.ts';
import { addUpdates, backwardGraph, type Trainable, type TrainingGraphOptions } from './training.ts';

/** Name of the tensor that adds up the gradients of a parameter over the parts of a batch. */
export const accumulatorName = (parameter: string): string => `accumulated/${parameter}`;

/**
 * A part of a training step: forward and backward over some images of a batch, whose gradients are added up.
 *
 * @shape accumulated/<parameter>  like the parameter, state; all else as in `trainingGraph`
 */
export function partGraph(model: Model, options: TrainingGraphOptions): ModelGraph {
  const { build, forward, trainable, gradients: found } = backwardGraph(model, options);
  trainable.forEach(({ name, shape }, i) => {
    const accumulator = build.input(accumulatorName(name), { shape, dtype: 'f32' });
    build.op('assignAdd', [accumulator, found[i] as ValueId], {}, name);
  });
  return { graph: build.build(), parameters: forward.parameters, layers: forward.layers };
}

/** The end of a training step whose gradients were added up: an update of every trainable parameter. */
export function updateGraph(
  name: string,
  specs: readonly ParameterSpec[],
  optimizer: OptimizerSettings | undefined,
  lossScaling: boolean,
): Graph {
  const build = new GraphBuilder(`${name} update`);
  const scale = lossScaling ? lossScaleInput(build) : undefined;
  const trainable = specs
    .filter((spec) => spec.trainable)
    .map((spec): Trainable => ({ ...spec, id: build.input(spec.name, { shape: spec.shape, dtype: 'f32' }) }));
  const sums = trainable.map((spec) => build.input(accumulatorName(spec.name), { shape: spec.shape, dtype: 'f32' }));
  addUpdates(build, trainable, sums, optimizer, scale);
  return build.build();
}
