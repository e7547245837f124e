import { GraphBuilder, gradients, type Value, type ValueId } from '@skiplane/core';
import type { Model } from '../model.ts';
import { NetworkBuilder } from '../network-builder.ts';
import type { ParameterSpec } from '../parameters.ts';
import { kerasL2, type BatchNormSettings, type L2Settings } from '../recipe/keras-constants.ts';
import { kerasAdam, type OptimizerSettings } from '../recipe/optimizer.ts';
import { scaleLoss, unscaleGradients } from './loss-scaling.ts';
import { addImages, addLabels, addNetwork, ownBatchNorm, type GatheredImages, type ModelGraph } from './model-graph.ts';
import type { BatchOption } from './inference.ts';
import { optimizerRule, optimizerStateName } from './optimizer.ts';

export interface TrainingGraphOptions extends BatchOption {
  /** Images of the whole batch, where `batch` is a part of it (default: `batch`): the losses of all parts add up to that of the batch. */
  readonly of?: number | undefined;
  /** Default: Keras's Adam. */
  readonly optimizer?: OptimizerSettings;
  /** The share of the labels that is spread over all classes (default 0). */
  readonly labelSmoothing?: number;
  /** Default: the model's epsilon, and Keras's momentum and moving variance. */
  readonly batchNorm?: Partial<BatchNormSettings>;
  /** Default: Keras's. */
  readonly l2?: L2Settings;
  /** Where the images come from (default: the input `x`). */
  readonly images?: GatheredImages | undefined;
  /**
   * Whether the loss is multiplied by a scale before it is differentiated, and the gradients divided by it (default false): for
   * backends that hold activations and their gradients as f16, in which small gradients would underflow.
   */
  readonly lossScaling?: boolean | undefined;
}

/** A graph with a scalar loss that is not differentiated yet. */
export interface LossGraph extends ModelGraph {
  readonly loss: ValueId;
  readonly logits: ValueId;
  readonly labels: ValueId;
}

/**
 * The network with the batch's statistics, and Keras's training loss: loss = (1/batch)·Σ cross-entropy + Σ l2·Σw², with
 * the cross-entropy of smoothed labels. A part of a batch has its share of either term.
 *
 * @shape x      [batch, height, width, channels], or what `addImages` has in its place
 * @shape labels [batch, classes], one-hot
 */
export function lossGraph(
  model: Model,
  {
    batch,
    of = batch,
    batchNorm = {},
    l2 = kerasL2,
    labelSmoothing = 0,
    images,
  }: Omit<TrainingGraphOptions, 'optimizer' | 'lossScaling'>,
): LossGraph {
  const net = new NetworkBuilder(`${model.name} training`, {
    mode: 'training',
    batchNorm: { ...ownBatchNorm(model), ...batchNorm },
    l2,
  });
  const { build } = net;
  const logits = addNetwork(net, addImages(net, model, batch, images), model);
  const labels = addLabels(net, model, batch);
  const losses = build.op('softmaxCrossEntropy', [logits, labels], { labelSmoothing }, 'loss');
  const mean = build.op('affine', [build.op('reduceSum', [losses], {}, 'loss')], { scale: 1 / of, offset: 0 }, 'loss');
  const idOf = idsOf(build.build().values);
  const penalties = net.parameters
    .filter((spec) => spec.l2 > 0)
    .map((spec) => build.op('l2Penalty', [idOf(spec.name)], { scale: (spec.l2 * batch) / of }, spec.name));
  const loss = penalties.reduce((sum, penalty) => build.op('add', [sum, penalty], {}, 'loss'), mean);
  return {
    graph: build.build(),
    parameters: net.parameters,
    layers: net.layers,
    loss,
    logits,
    labels,
  };
}

/**
 * One training step as a graph: forward, backward, an update of every trainable parameter, moving statistics, and sums
 * of loss and accuracy, weighted with the batch size as Keras does.
 *
 * @shape x        [batch, height, width, channels], or what `addImages` has in its place
 * @shape labels   [batch, classes], one-hot
 * @shape stepSize, decay, learningRate  scalars: those that the optimizer has, see `optimizerRule`
 * @shape optimizer/<slot>/<parameter>  like the parameter, state: m and v of Adam and AdamW, momentum of SGD
 * @shape optimizer/lossScale, optimizer/goodSteps  scalars, state, with `lossScaling` only: see `LossScale`
 * @shape metrics/loss, metrics/correct  scalars, state: Σ batch·loss with the L2 penalty, and the number of right first choices
 */
export function trainingGraph(model: Model, options: TrainingGraphOptions): ModelGraph {
  const { build, forward, trainable, gradients: found, scale } = backwardGraph(model, options);
  addUpdates(build, trainable, found, options.optimizer, scale);
  return { graph: build.build(), parameters: forward.parameters, layers: forward.layers };
}

export interface Trainable extends ParameterSpec {
  readonly id: ValueId;
}

/** Forward and backward, and the sums of loss and accuracy. Gradients are those of the scaled loss, where it is scaled. */
export function backwardGraph(model: Model, options: TrainingGraphOptions) {
  const { batch, of = batch, lossScaling = false } = options;
  const forward = lossGraph(model, options);
  const idOf = idsOf(forward.graph.values);
  const trainable = forward.parameters
    .filter((parameter) => parameter.trainable)
    .map((spec): Trainable => ({ ...spec, id: idOf(spec.name) }));
  const scaled = lossScaling ? scaleLoss(forward.graph, forward.loss) : undefined;
  const ids = trainable.map(({ id }) => id);
  const backward = gradients(scaled?.graph ?? forward.graph, scaled?.scaledLoss ?? forward.loss, ids);
  const build = new GraphBuilder(forward.graph.name, backward.graph);
  addMetrics(build, forward, of);
  return { build, forward, trainable, gradients: backward.gradients, scale: scaled?.scale };
}

/** @param scale  of the loss that the gradients are of; undefined where it is not scaled */
export function addUpdates(
  build: GraphBuilder,
  trainable: readonly Trainable[],
  found: readonly ValueId[],
  optimizer: OptimizerSettings = kerasAdam,
  scale?: ValueId,
): void {
  const { gradients: unscaled, norm } =
    scale === undefined ? { gradients: found, norm: undefined } : unscaleGradients(build, found, scale);
  const rule = optimizerRule(optimizer);
  const scalars = Object.keys(rule.scalars).map((name) => build.input(name, { shape: [], dtype: 'f32' }));
  trainable.forEach(({ name, shape, id: parameter }, i) => {
    const gradient = unscaled[i];
    if (gradient === undefined) return;
    const state = rule.slots.map((slot) => build.input(optimizerStateName(slot, name), { shape, dtype: 'f32' }));
    rule.update(build, name, { parameter, gradient, state, scalars, norm });
  });
}

/** @param of  images of the whole batch */
function addMetrics(build: GraphBuilder, { loss, logits, labels }: LossGraph, of: number): void {
  const lossSum = build.op('affine', [loss], { scale: of, offset: 0 }, 'metrics/loss');
  const correct = build.op('topKCorrect', [logits, labels], { k: 1 }, 'metrics/correct');
  const correctSum = build.op('reduceSum', [correct], {}, 'metrics/correct');
  for (const [name, value] of [
    ['metrics/loss', lossSum],
    ['metrics/correct', correctSum],
  ] as const) {
    build.op('assignAdd', [build.input(name, { shape: [], dtype: 'f32' }), value], {}, name);
  }
}

/** Finds values by their names. */
function idsOf(values: readonly Value[]): (name: string) => ValueId {
  const ids = new Map(values.flatMap(({ name, id }) => (name === undefined ? [] : [[name, id]])));
  return (name) => {
    const id = ids.get(name);
    if (id === undefined) throw new Error(`no value is named '${name}'`);
    return id;
  };
}
