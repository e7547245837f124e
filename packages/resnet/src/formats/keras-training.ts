import type { TrainingState } from '../checkpoint/checkpoint.ts';
import { parameterSpecs } from '../initial-parameters.ts';
import type { Model } from '../model.ts';
import { learningRateAt } from '../recipe/schedule.ts';
import { optimizerConfig, optimizerProblem } from './keras-optimizer.ts';
import type { KerasLayersOptions } from './keras-layers.ts';
import type { OptimizerSnapshot } from './model-file.ts';

/** What Keras can keep of a training run, and what it cannot. */
export interface KerasTraining {
  readonly optimizer: OptimizerSnapshot | null;
  readonly layers: Pick<KerasLayersOptions, 'momentum' | 'penalties'>;
  /** What `compile` is called with; null without an optimizer. @param modern  as `.keras` archives have it */
  readonly compile: (modern: boolean) => Readonly<Record<string, unknown>> | null;
  readonly notes: readonly string[];
}

/**
 * Optimizer, loss, L2 penalties and batch norm's momentum of a run. The epoch, the callbacks, the schedule and the
 * augmentation are a program's in Keras, not a model's.
 */
export function kerasTraining(
  model: Model,
  training: TrainingState | null,
  snapshot: OptimizerSnapshot | null = training === null ? null : snapshotOf(training),
): KerasTraining {
  const problem = snapshot === null ? undefined : optimizerProblem(snapshot);
  const optimizer = problem === undefined ? snapshot : null;
  const labelSmoothing = training?.settings.recipe.labelSmoothing ?? 0;
  return {
    optimizer,
    layers: training === null ? {} : layersOf(model, training),
    compile: (modern) => optimizer && compileOf(optimizer, labelSmoothing, modern),
    notes: problem === undefined ? [] : [problem],
  };
}

function layersOf(model: Model, { settings: { recipe } }: TrainingState): KerasTraining['layers'] {
  const penalties = new Map(parameterSpecs(model, recipe.l2).map(({ name, l2 }) => [name, l2]));
  return { momentum: recipe.batchNorm.momentum, penalties };
}

/** With the learning rate of the next step. */
function snapshotOf({ settings, step, epochsDone, position, history, callbacks, optimizer }: TrainingState) {
  const { recipe } = settings;
  const rate = learningRateAt(recipe.learningRate, {
    iteration: step,
    // Of the epoch that runs, when it is the first, only a part is known.
    steps: epochsDone > 0 ? (step - position) / epochsDone : position + 1,
    epochs: recipe.epochs,
    accuracies: history.map(({ accuracy }) => accuracy),
  });
  const learningRate = Math.min(rate, callbacks.limit ?? Number.POSITIVE_INFINITY);
  return { settings: recipe.optimizer, learningRate, step, state: optimizer };
}

function compileOf(optimizer: OptimizerSnapshot, labelSmoothing: number, modern: boolean) {
  const config = { from_logits: true, label_smoothing: labelSmoothing };
  const loss = { class_name: 'CategoricalCrossentropy', config };
  const metrics = { loss_weights: null, metrics: ['accuracy'], weighted_metrics: null };
  const keras = optimizerConfig(optimizer);
  return modern
    ? {
        optimizer: { module: 'keras.optimizers', ...keras, registered_name: null },
        loss: { module: 'keras.losses', ...loss, registered_name: null },
        ...metrics,
      }
    : { loss, ...metrics, optimizer_config: keras };
}
