import { GraphBuilder, type Graph, type ValueId } from '@skiplane/core';

/** What a scaled loss keeps from step to step. */
export interface LossScale {
  /** A power of two. */
  readonly scale: number;
  /** Steps without an overflow since the scale last changed. */
  readonly goodSteps: number;
}

export const initialLossScale: LossScale = { scale: 2 ** 15, goodSteps: 0 };

const policy = { growthSteps: 2000, minimum: 1, maximum: 2 ** 24 } as const;

/** Names of its state, scalars. */
export const lossScaleNames: Readonly<Record<keyof LossScale, string>> = {
  scale: 'optimizer/lossScale',
  goodSteps: 'optimizer/goodSteps',
};

export const lossScaleInput = (build: GraphBuilder): ValueId =>
  build.input(lossScaleNames.scale, { shape: [], dtype: 'f32' });

/** A graph whose loss is multiplied by the scale, to be differentiated. */
export function scaleLoss(graph: Graph, loss: ValueId): { graph: Graph; scaledLoss: ValueId; scale: ValueId } {
  const build = new GraphBuilder(graph.name, graph);
  const scale = lossScaleInput(build);
  const scaledLoss = build.op('multiply', [loss, scale], {}, 'lossScale');
  return { graph: build.build(), scaledLoss, scale };
}

/**
 * The gradients of the loss itself, from those of the scaled one, and the scale for the next step. If any element of any of them
 * is NaN or infinite, so is the sum of all their squares, `norm`: then the scale is halved, and optimizers that are guarded by it
 * take no step.
 */
export function unscaleGradients(
  build: GraphBuilder,
  gradients: readonly ValueId[],
  scale: ValueId,
): { readonly gradients: readonly ValueId[]; readonly norm: ValueId } {
  const squares = gradients.map((gradient) => build.op('l2Penalty', [gradient], { scale: 1 }, 'lossScale'));
  const norm = squares.reduce((sum, square) => build.op('add', [sum, square], {}, 'lossScale'));
  const unscaled = gradients.map((gradient) => build.op('unscaleGradient', [gradient, scale], {}, 'lossScale'));
  const goodSteps = build.input(lossScaleNames.goodSteps, { shape: [], dtype: 'f32' });
  build.opOutputs('updateLossScale', [scale, goodSteps, norm], policy, 'lossScale');
  return { gradients: unscaled, norm };
}
