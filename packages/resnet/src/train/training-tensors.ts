import type { Backend, Tensor } from '@skiplane/core';
import type { MetricSums, TrainingState } from '../checkpoint/checkpoint.ts';
import { initialLossScale, lossScaleNames, type LossScale } from '../graphs/loss-scaling.ts';
import { optimizerNames } from '../graphs/training.ts';
import { checkParameters, type ParameterSpec, type Parameters } from '../parameters.ts';

/** What a training step updates, on a device: parameters, Adam's moments, sums of loss and accuracy. */
export class TrainingTensors implements Disposable {
  /** By the names of the training graph, `stepSize` included. */
  readonly byName: ReadonlyMap<string, Tensor>;
  /** Whether the training graph that they are for scales its loss. */
  readonly lossScaling: boolean;
  readonly #specs: readonly ParameterSpec[];
  readonly #stepSize = new Float32Array(1);

  /**
   * @param state  moments and sums to go on with; zeros by default
   * @param lossScaling  whether the training graph scales its loss
   * @throws {ValueError} when the parameters are not the model's
   */
  constructor(
    backend: Backend,
    model: string,
    specs: readonly ParameterSpec[],
    parameters: Parameters,
    state: Pick<TrainingState, 'optimizer' | 'metrics'> | null = null,
    lossScaling = false,
  ) {
    checkParameters(model, specs, parameters);
    this.#specs = specs;
    this.lossScaling = lossScaling;
    const byName = new Map<string, Tensor>();
    this.byName = byName;
    const add = (name: string, shape: readonly number[], data?: Float32Array): void => {
      byName.set(name, backend.tensor({ shape, dtype: 'f32' }, data));
    };
    try {
      for (const { name, shape, trainable } of specs) {
        add(name, shape, parameters.get(name));
        if (!trainable) continue;
        const moments = optimizerNames(name);
        add(moments.m, shape, state?.optimizer.m.get(name));
        add(moments.v, shape, state?.optimizer.v.get(name));
      }
      if (lossScaling) {
        const { scale, goodSteps } = state?.optimizer.lossScale ?? initialLossScale;
        add(lossScaleNames.scale, [], Float32Array.of(scale));
        add(lossScaleNames.goodSteps, [], Float32Array.of(goodSteps));
      }
      add('metrics/loss', [], Float32Array.of(state?.metrics.loss ?? 0));
      add('metrics/correct', [], Float32Array.of(state?.metrics.correct ?? 0));
      add('stepSize', []);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Sets Adam's rate of the next step: see `adamStepSize`. */
  writeStepSize(stepSize: number): void {
    this.#stepSize[0] = stepSize;
    this.byName.get('stepSize')?.write(this.#stepSize);
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
    return {
      m: await this.#readAll(trainable, (name) => optimizerNames(name).m),
      v: await this.#readAll(trainable, (name) => optimizerNames(name).v),
      ...(this.lossScaling && { lossScale: await this.#readLossScale() }),
    };
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

  async #readLossScale(): Promise<LossScale> {
    const [scale = 1] = await this.#read(lossScaleNames.scale);
    const [goodSteps = 0] = await this.#read(lossScaleNames.goodSteps);
    return { scale, goodSteps };
  }

  async #read(name: string): Promise<Float32Array> {
    return (await this.byName.get(name)?.read()) as Float32Array;
  }
}
