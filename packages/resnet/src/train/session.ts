import { NumericError } from '@skiplane/core';
import type { Checkpoint, HistoryRecord, MetricSums, TrainingState, TrainSettings } from '../checkpoint/checkpoint.ts';
import { HostImages, type BatchSource, type PreparedBatch, type TransformOptions } from '../data/batch-source.ts';
import type { Dataset } from '../data/dataset.ts';
import { DeviceImages } from '../data/device-images.ts';
import { createPreprocessing, type Preprocessing } from '../data/preprocessing.ts';
import { Evaluator } from '../evaluate/evaluator.ts';
import { initialParameters, parameterSpecs } from '../initial-parameters.ts';
import type { ParameterSpec, Parameters } from '../parameters.ts';
import { learningRateAt } from '../recipe.ts';
import { resolveSettings, type TrainOptions } from './options.ts';
import { resumedState } from './resume.ts';
import { TrainingStep } from './training-step.ts';
import { TrainingTensors } from './training-tensors.ts';

/** Everything that one call of `train` holds: programs and tensors on the device, and where it stands. */
export class TrainingSession implements Disposable {
  readonly options: TrainOptions;
  readonly settings: TrainSettings;
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
  #programs: readonly TrainingStep[] = [];
  #batches: readonly (readonly [PreparedBatch, PreparedBatch])[] = [];
  #sources: readonly BatchSource[] = [];
  #evaluator: Evaluator | undefined;
  /** Step at which the loss was last seen to be finite. */
  #finiteStep: number;

  private constructor(options: TrainOptions, settings: TrainSettings) {
    const { backend, model, train, checkpoint } = options;
    this.options = options;
    this.settings = settings;
    this.steps = Math.ceil(train.count / settings.batchSize);
    this.specs = parameterSpecs(model);
    const state = checkpoint == null ? null : resumedState(checkpoint, model, settings, this.steps);
    this.preprocessing = checkpoint?.preprocessing ?? createPreprocessing(train);
    const parameters = checkpoint?.parameters ?? initialParameters(model, settings.seed);
    this.tensors = new TrainingTensors(backend, model.name, this.specs, parameters, state, settings.lossScaling);
    this.step = state?.step ?? 0;
    this.epochsDone = state?.epochsDone ?? 0;
    this.position = state?.position ?? 0;
    this.history = state?.history ?? [];
    this.best = state?.best ?? null;
    this.#finiteStep = this.step;
  }

  /** Checks options, makes the tensors and compiles all programs. */
  static async open(options: TrainOptions): Promise<TrainingSession> {
    const session = new TrainingSession(options, await resolveSettings(options));
    try {
      await session.#compile();
      return session;
    } catch (error) {
      session.dispose();
      throw error;
    }
  }

  /** The epoch that runs, from 1. */
  get epoch(): number {
    return this.epochsDone + 1;
  }

  get learningRate(): number {
    return learningRateAt(this.settings.learningRate, this.epochsDone);
  }

  /** Images trained on after `steps` steps of an epoch. */
  imagesAfter(steps: number): number {
    return Math.min(steps * this.settings.batchSize, this.options.train.count);
  }

  /** Images of a step of an epoch: fewer in the last one. */
  batchOf(step: number): number {
    return this.imagesAfter(step + 1) - this.imagesAfter(step);
  }

  get arenaBytes(): number {
    return Math.max(0, ...this.#programs.map(({ arenaBytes }) => arenaBytes));
  }

  get evaluator(): Evaluator {
    if (this.#evaluator === undefined) throw new Error('the session is not compiled');
    return this.#evaluator;
  }

  /** Host memory for a step, by turns. */
  batch(step: number, turn: 0 | 1): PreparedBatch {
    const batch = this.#batches[this.#programOf(step)]?.[turn];
    if (batch === undefined) throw new Error(`there is no batch for step ${step}`);
    return batch;
  }

  /** Starts step `position` of the epoch on the device. */
  startStep(position: number, { buffers }: PreparedBatch): Promise<void> {
    const program = this.#programs[this.#programOf(position)];
    if (program === undefined) throw new Error(`there is no program for step ${position}`);
    return program.run(buffers, this.learningRate, this.epochsDone * this.steps + position);
  }

  /** The sums so far. @throws {NumericError} when the loss has become NaN or infinite */
  async readMetrics(): Promise<MetricSums> {
    const metrics = await this.tensors.readMetrics();
    if (!Number.isFinite(metrics.loss)) throw this.#notFinite('loss', metrics.loss);
    this.#finiteStep = this.step;
    return metrics;
  }

  /** The state as it is on the device now. */
  async checkpoint(): Promise<Checkpoint> {
    const { model, train } = this.options;
    const { settings, step, epochsDone, position, history, best, preprocessing } = this;
    const metrics = await this.readMetrics();
    const parameters: Parameters = await this.tensors.readParameters();
    const optimizer = await this.tensors.readOptimizer();
    const training: TrainingState = { settings, step, epochsDone, position, metrics, history, best, optimizer };
    return { model, classNames: train.classNames, preprocessing, parameters, training };
  }

  /** Ends an epoch with its record: the highest validation accuracy is the best, and of equal ones the first. */
  finishEpoch(record: HistoryRecord): boolean {
    for (const [what, value] of [
      ['loss', record.loss],
      ['validation loss', record.valLoss],
    ] as const) {
      if (!Number.isFinite(value)) throw this.#notFinite(what, value);
    }
    const best = this.best === null || record.valAccuracy > this.best.valAccuracy;
    if (best) this.best = record;
    this.history = [...this.history, record];
    this.epochsDone++;
    this.position = 0;
    this.tensors.zeroMetrics();
    return best;
  }

  dispose(): void {
    for (const program of this.#programs) program.dispose();
    this.#evaluator?.dispose();
    for (const source of this.#sources) source.dispose();
    this.tensors.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async #compile(): Promise<void> {
    const { backend, model, train, validation, compile } = this.options;
    const { batchSize, movingVariance, evaluationBatchSize, augment, interpolationOrder } = this.settings;
    const transform: TransformOptions | null = augment ? { interpolationOrder } : null;
    const trainSource = this.#source(train);
    const validationSource = this.#source(validation);
    const full = Math.floor(train.count / batchSize) > 0 ? [batchSize] : [];
    const rest = train.count % batchSize > 0 ? [train.count % batchSize] : [];
    const extra = compile === undefined ? {} : { compile };
    for (const batch of [...full, ...rest]) {
      const program = await TrainingStep.compile(backend, model, this.tensors, {
        batch,
        movingVariance,
        images: trainSource.images(transform),
        imageTensors: trainSource.tensors,
        ...extra,
      });
      this.#programs = [...this.#programs, program];
      this.#batches = [...this.#batches, [trainSource.batch(batch, transform), trainSource.batch(batch, transform)]];
    }
    this.#evaluator = await Evaluator.compile(backend, model, validation, validationSource, evaluationBatchSize, extra);
  }

  #source(data: Dataset): BatchSource {
    const { settings, preprocessing, options } = this;
    const onDevice = settings.imagesOn === 'device';
    const source = onDevice
      ? new DeviceImages(options.backend, data, preprocessing)
      : new HostImages(data, preprocessing);
    this.#sources = [...this.#sources, source];
    return source;
  }

  #programOf(step: number): number {
    return this.#programs.findIndex(({ batch }) => batch === this.batchOf(step));
  }

  #notFinite(what: string, value: number): NumericError {
    const { step, epoch, learningRate, steps } = this;
    return new NumericError(
      `training of ${this.options.model.name} failed: the ${what} is ${value} in epoch ${epoch} at step ${this.position} of ${steps} ` +
        `(${step} in all; it was finite at step ${this.#finiteStep}), with learning rate ${learningRate}. ` +
        'Resume from the last checkpoint or start anew, with a smaller learning rate; if it stays, check the data for damage.',
      { epoch, step, learningRate, finiteStep: this.#finiteStep },
    );
  }
}
