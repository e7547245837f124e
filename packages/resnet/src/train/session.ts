import { NumericError } from '@skiplane/core';
import type {
  RunCheckpoint,
  HistoryRecord,
  MetricSums,
  TrainingEnd,
  TrainingState,
  TrainSettings,
} from '../checkpoint/checkpoint.ts';
import { modelType, type ModelConfig } from '../config.ts';
import { HostImages, type BatchSource, type PreparedBatch } from '../data/batch-source.ts';
import type { Dataset } from '../data/dataset.ts';
import { createPreprocessing, type Preprocessing } from '../data/preprocessing.ts';
import { Evaluator } from '../evaluate/evaluator.ts';
import { initialParameters, parameterSpecs } from '../initial-parameters.ts';
import type { ParameterSpec, Parameters } from '../parameters.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { learningRateAt } from '../recipe/schedule.ts';
import type { CallbackEffect } from './callbacks/callback.ts';
import { beginEpoch, endEpoch, startCallbacks } from './callbacks/callback-list.ts';
import { keptEpoch, type CallbacksState } from './callbacks/callbacks-state.ts';
import type { TrainingMemory } from './events.ts';
import { resolveOptions, savedState, stepsOf, type ResolvedOptions, type TrainOptions } from './options.ts';
import { bytesAnImage, StepPrograms } from './step-programs.ts';
import { TrainingTensors } from './training-tensors.ts';

/** Everything that one call of `train` holds: programs and tensors on the device, and where it stands. */
export class TrainingSession implements Disposable {
  readonly options: TrainOptions;
  readonly model: ModelConfig;
  readonly train: Dataset;
  readonly validation: Dataset;
  settings: TrainSettings;
  readonly specs: readonly ParameterSpec[];
  readonly preprocessing: Preprocessing;
  readonly tensors: TrainingTensors;
  /** Steps of an epoch. */
  readonly steps: number;
  step: number;
  epochsDone: number;
  position: number;
  history: readonly HistoryRecord[];
  best: HistoryRecord | null;
  callbacks: CallbacksState;
  end: TrainingEnd | null;
  /** Null without a limit. */
  memory: TrainingMemory | null = null;
  #keptWeights: Parameters | null;
  #programs: StepPrograms | undefined;
  readonly #sources = new Map<Dataset, BatchSource>();
  #newSource = (data: Dataset): BatchSource => new HostImages(data, this.preprocessing);
  #evaluator: Evaluator | undefined;
  /** Step at which the loss was last seen to be finite. */
  #finiteStep: number;

  private constructor({ options, model, train, validation, settings }: ResolvedOptions, state: TrainingState | null) {
    const { backend, checkpoint } = options;
    const { recipe, seed } = settings;
    this.options = options;
    this.model = model;
    this.train = train;
    this.validation = validation;
    this.settings = settings;
    this.steps = stepsOf({ train, settings });
    this.specs = parameterSpecs(model, recipe.l2);
    this.preprocessing = checkpoint?.preprocessing ?? createPreprocessing(train);
    const parameters = checkpoint?.parameters ?? initialParameters(model, seed);
    this.tensors = new TrainingTensors(backend, model.name, this.specs, parameters, state, {
      optimizer: recipe.optimizer,
      lossScaling: settings.lossScaling,
    });
    this.step = state?.step ?? 0;
    this.epochsDone = state?.epochsDone ?? 0;
    this.position = state?.position ?? 0;
    this.history = state?.history ?? [];
    this.best = state?.best ?? null;
    this.callbacks = state?.callbacks ?? startCallbacks(recipe.callbacks);
    this.#keptWeights = state?.keptWeights ?? null;
    this.end = (this.done ? state?.end : null) ?? null;
    this.#finiteStep = this.step;
  }

  /** Checks options, makes the tensors and compiles all programs. */
  static async open(options: TrainOptions): Promise<TrainingSession> {
    const resolved = await resolveOptions(options);
    const session = new TrainingSession(resolved, await savedState(resolved));
    try {
      await session.#compile();
      return session;
    } catch (error) {
      session.dispose();
      throw error;
    }
  }

  get recipe(): Recipe {
    return this.settings.recipe;
  }

  /** True when no epoch is left, or a callback has ended training. */
  get done(): boolean {
    return this.callbacks.stopped || this.epochsDone >= this.recipe.epochs;
  }

  /** The epoch that runs, from 1. */
  get epoch(): number {
    return this.epochsDone + 1;
  }

  /** The rate of a step of the epoch (from 0). */
  learningRate(position = this.position): number {
    const { steps, recipe, history, callbacks } = this;
    const scheduled = learningRateAt(recipe.learningRate, {
      iteration: this.epochsDone * steps + position,
      steps,
      epochs: recipe.epochs,
      accuracies: history.map(({ accuracy }) => accuracy),
    });
    return Math.min(scheduled, callbacks.limit ?? scheduled);
  }

  /** Images trained on after `steps` steps of an epoch. */
  imagesAfter(steps: number): number {
    return Math.min(steps * this.recipe.batchSize, this.train.count);
  }

  /** Images of a step of an epoch: fewer in the last one. */
  batchOf(step: number): number {
    return this.imagesAfter(step + 1) - this.imagesAfter(step);
  }

  get programs(): StepPrograms {
    if (this.#programs === undefined) throw new Error('the session is not compiled');
    return this.#programs;
  }

  get evaluator(): Evaluator {
    if (this.#evaluator === undefined) throw new Error('the session is not compiled');
    return this.#evaluator;
  }

  /** Compiles an evaluation of the test images, in place of what trains; the caller disposes it. */
  testEvaluator(test: Dataset): Promise<Evaluator> {
    this.#disposePrograms();
    return this.#compileEvaluator(test, Math.min(this.settings.evaluationBatchSize, test.count));
  }

  /** Starts step `position` of the epoch on the device. */
  startStep(position: number, { buffers }: PreparedBatch): Promise<void> {
    const program = this.programs.of(this.batchOf(position));
    return program.run(buffers, this.learningRate(position), this.epochsDone * this.steps + position);
  }

  /** The sums so far. @throws {NumericError} when the loss has become NaN or infinite */
  async readMetrics(): Promise<MetricSums> {
    const metrics = await this.tensors.readMetrics();
    if (!Number.isFinite(metrics.loss)) throw this.#notFinite('loss', metrics.loss);
    this.#finiteStep = this.step;
    return metrics;
  }

  /** The state as it is on the device now. */
  async checkpoint(): Promise<RunCheckpoint> {
    const { model, settings, step, epochsDone, position, history, best, preprocessing, callbacks, end } = this;
    const metrics = await this.readMetrics();
    const parameters: Parameters = await this.tensors.readParameters();
    const optimizer = await this.tensors.readOptimizer();
    const lossScale = await this.tensors.readLossScale();
    const keptWeights = this.#keptWeights;
    const state = {
      settings,
      step,
      epochsDone,
      position,
      metrics,
      history,
      best,
      callbacks,
      keptWeights,
      end,
      optimizer,
      lossScale,
    };
    const training: TrainingState = state;
    return { model, classNames: this.train.classNames, preprocessing, parameters, training };
  }

  /** As an epoch begins, not as it goes on. */
  startEpoch(): void {
    if (this.position === 0) this.callbacks = beginEpoch(this.recipe.callbacks, this.callbacks);
  }

  /**
   * Ends an epoch with its record: the highest validation accuracy is the best, and of equal ones the first.
   * @param parameters  as they are now
   * @returns whether it is the best, and what the callbacks want done
   */
  finishEpoch(
    record: HistoryRecord,
    parameters: Parameters,
  ): { readonly best: boolean; readonly effects: readonly CallbackEffect[] } {
    for (const [what, value] of [
      ['loss', record.loss],
      ['validation loss', record.valLoss],
    ] as const) {
      if (!Number.isFinite(value)) throw this.#notFinite(what, value);
    }
    const best = this.best === null || record.valAccuracy > this.best.valAccuracy;
    if (best) this.best = record;
    const { accuracy, loss, valAccuracy, valLoss, learningRate } = record;
    const { state, effects } = endEpoch(this.recipe.callbacks, this.callbacks, {
      epoch: this.epochsDone,
      logs: { accuracy, loss, val_accuracy: valAccuracy, val_loss: valLoss, learning_rate: learningRate },
      learningRate,
      model: modelType(this.model),
    });
    this.callbacks = state;
    if (effects.some(({ kind }) => kind === 'keepWeights')) this.#keptWeights = parameters;
    this.history = [...this.history, record];
    this.epochsDone++;
    this.position = 0;
    this.tensors.zeroMetrics();
    return { best, effects };
  }

  /** The weights to end training with, if they are not those of the last step, and the epoch (from 1) that they are of. */
  get keptWeights(): { readonly epoch: number; readonly parameters: Parameters } | null {
    const epoch = keptEpoch(this.callbacks);
    return epoch === null || this.#keptWeights === null ? null : { epoch, parameters: this.#keptWeights };
  }

  dispose(): void {
    this.#disposePrograms();
    for (const source of this.#sources.values()) source.dispose();
    this.tensors.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #disposePrograms(): void {
    this.#programs?.dispose();
    this.#evaluator?.dispose();
    this.#programs = undefined;
    this.#evaluator = undefined;
  }

  async #compile(): Promise<void> {
    const { backend, compile, memoryLimit, checkpoint } = this.options;
    if (this.settings.imagesOn === 'device') {
      const { DeviceImages } = await import('../data/device-images.ts');
      this.#newSource = (data) => new DeviceImages(backend, data, this.preprocessing);
    }
    const chosen = memoryLimit !== undefined && checkpoint == null ? 'fewest' : 1;
    const parts = this.settings.parts ?? chosen;
    const budget =
      memoryLimit === undefined
        ? null
        : new (await import('./memory-budget.ts')).MemoryBudget(backend, memoryLimit, bytesAnImage(this.model));
    this.#evaluator = await this.#compileEvaluator(this.validation, this.settings.evaluationBatchSize);
    this.#programs = await StepPrograms.compile(
      backend,
      this.model,
      this.tensors,
      { source: this.#source(this.train), count: this.train.count },
      this.recipe,
      { compile, budget, seed: this.settings.seed, parts },
    );
    if (this.#programs.parts > 1) this.settings = { ...this.settings, parts: this.#programs.parts };
    this.memory = budget === null ? null : this.#programs.memory(budget);
  }

  #compileEvaluator(data: Dataset, batch: number): Promise<Evaluator> {
    const { backend, compile, memoryLimit } = this.options;
    // With a limit, kernels spare memory rather than time.
    const limited = { compile: { ...compile, ...(memoryLimit !== undefined && { arenaLimitBytes: memoryLimit }) } };
    return Evaluator.compile(backend, this.model, data, this.#source(data), batch, limited);
  }

  /** Where the batches of a data set come from: one source for each, for as long as the session. */
  #source(data: Dataset): BatchSource {
    const known = this.#sources.get(data);
    if (known !== undefined) return known;
    const source = this.#newSource(data);
    this.#sources.set(data, source);
    return source;
  }

  #notFinite(what: string, value: number): NumericError {
    const { step, epoch, steps } = this;
    const learningRate = this.learningRate(Math.max(this.position - 1, 0));
    return new NumericError(
      `training of ${this.model.name} failed: the ${what} is ${value} in epoch ${epoch} at step ${this.position} of ${steps} ` +
        `(${step} in all; it was finite at step ${this.#finiteStep}), with learning rate ${learningRate}. ` +
        'Resume from the last checkpoint or start anew, with a smaller learning rate; if it stays, check the data for damage.',
      { epoch, step, learningRate, finiteStep: this.#finiteStep },
    );
  }
}
