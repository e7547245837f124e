import type { Backend, Tensor } from '@skiplane/core';
import type { MetricSums, TrainingState } from '../checkpoint/checkpoint.ts';
import { initialLossScale, lossScaleNames, type LossScale } from '../graphs/loss-scaling.ts';
import { optimizerRule, optimizerStateName, type OptimizerRule } from '../graphs/optimizer.ts';
import { checkParameters, type ParameterSpec, type Parameters } from '../parameters.ts';
import { kerasAdam, type OptimizerSettings } from '../recipe/optimizer.ts';

export interface TrainingTensorsOptions {
  /** That of the training graph (default: Keras's Adam). */
  readonly optimizer?: OptimizerSettings;
  /** Whether the training graph scales its loss (default false). */
  readonly lossScaling?: boolean;
}

/** What a training step updates, on a device: parameters, the optimizer's state, sums of loss and accuracy. */
export class TrainingTensors implements Disposable {
  /** By the names of the training graph, the scalars of a step included. */
  readonly byName: ReadonlyMap<string, Tensor>;
  /** Whether the training graph that they are for scales its loss. */
  readonly lossScaling: boolean;
  readonly #specs: readonly ParameterSpec[];
  readonly #rule: OptimizerRule;
  readonly #scalar = new Float32Array(1);

  /**
   * @param state  the optimizer's state, the loss's scale and sums to go on with; by default those of a first step
   * @throws {ValueError} when the parameters are not the model's
   */
  constructor(
    backend: Backend,
    model: string,
    specs: readonly ParameterSpec[],
    parameters: Parameters,
    state: Pick<TrainingState, 'optimizer' | 'lossScale' | 'metrics'> | null = null,
    { optimizer = kerasAdam, lossScaling = false }: TrainingTensorsOptions = {},
  ) {
    checkParameters(model, specs, parameters);
    this.#specs = specs;
    this.lossScaling = lossScaling;
    this.#rule = optimizerRule(optimizer);
    const { slots, scalars } = this.#rule;
    const byName = new Map<string, Tensor>();
    this.byName = byName;
    const add = (name: string, shape: readonly number[], data?: Float32Array): void => {
      byName.set(name, backend.tensor({ shape, dtype: 'f32' }, data));
    };
    try {
      for (const { name, shape, trainable } of specs) {
        add(name, shape, parameters.get(name));
        if (!trainable) continue;
        for (const slot of slots) add(optimizerStateName(slot, name), shape, state?.optimizer[slot]?.get(name));
      }
      if (lossScaling) {
        const { scale, goodSteps } = state?.lossScale ?? initialLossScale;
        add(lossScaleNames.scale, [], Float32Array.of(scale));
        add(lossScaleNames.goodSteps, [], Float32Array.of(goodSteps));
      }
      add('metrics/loss', [], Float32Array.of(state?.metrics.loss ?? 0));
      add('metrics/correct', [], Float32Array.of(state?.metrics.correct ?? 0));
      for (const name of Object.keys(scalars)) add(name, []);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Sets a scalar of the next step: see `optimizerRule`. */
  writeScalar(name: string, value: number): void {
    this.#scalar[0] = value;
    this.byName.get(name)?.write(this.#scalar);
  }

  /** Puts other values in all parameters. */
  writeParameters(parameters: Parameters): void {
    for (const [name, data] of parameters) this.byName.get(name)?.write(data);
  }

  zeroMetrics(): void {
    for (const name of ['metrics/loss', 'metrics/correct']) this.byName.get(name)?.write(new Float32Array(1));
  }

  async readMetrics(): Promise<MetricSums> {
    const [loss, correct] = await Promise.all([this.#read('metrics/loss'), this.#read('metrics/correct')]);
    return { loss: loss[0] ?? 0, correct: correct[0] ?? 0 };
  }

  async readParameters(): Promise<Map<string, Float32Array>> {
    return this.#readAll(this.#specs, (name) => name);
  }

  async readOptimizer(): Promise<TrainingState['optimizer']> {
    const trainable = this.#specs.filter((spec) => spec.trainable);
    const read = async (slot: string) =>
      [slot, await this.#readAll(trainable, (name) => optimizerStateName(slot, name))] as const;
    return Object.fromEntries(await Promise.all(this.#rule.slots.map(read)));
  }

  /** Null without `lossScaling`. */
  async readLossScale(): Promise<LossScale | null> {
    if (!this.lossScaling) return null;
    const [scale, goodSteps] = await Promise.all([
      this.#read(lossScaleNames.scale),
      this.#read(lossScaleNames.goodSteps),
    ]);
    return { scale: scale[0] ?? 1, goodSteps: goodSteps[0] ?? 0 };
  }

  dispose(): void {
    for (const tensor of this.byName.values()) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async #readAll(
    specs: readonly ParameterSpec[],
    tensorName: (name: string) => string,
  ): Promise<Map<string, Float32Array>> {
    const read = async ({ name }: ParameterSpec) => [name, await this.#read(tensorName(name))] as const;
    return new Map(await Promise.all(specs.map(read)));
  }

  async #read(name: string): Promise<Float32Array> {
    return (await this.byName.get(name)?.read()) as Float32Array;
  }
}
