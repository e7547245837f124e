import { dropoutRandom, elementCount, type Backend, type Recomputation, type Tensor } from '@skiplane/core';
import { BoundProgram } from '../bound-program.ts';
import type { BatchBuffers } from '../data/batch-preparer.ts';
import type { GatherBuffers } from '../data/batch-source.ts';
import { writeBatch } from '../data/write-batch.ts';
import { optimizerRule } from '../graphs/optimizer.ts';
import { accumulatorName, partGraph, updateGraph } from '../graphs/divided-training.ts';
import type { Model } from '../model.ts';
import { randomInput } from '../network-builder.ts';
import type { ParameterSpec } from '../parameters.ts';
import { kerasAdam } from '../recipe/optimizer.ts';
import { partSizes } from './micro-batches.ts';
import type { Fit, Step } from './step.ts';
import type { TrainingStepOptions } from './training-step.ts';
import type { TrainingTensors } from './training-tensors.ts';

/** Sums of gradients over the parts of a batch, which the steps of all batch sizes share. */
export class GradientSums implements Disposable {
  readonly byName: ReadonlyMap<string, Tensor>;
  readonly #zeros: ReadonlyMap<Tensor, Float32Array>;

  constructor(backend: Backend, specs: readonly ParameterSpec[]) {
    const trainable = specs.filter((spec) => spec.trainable);
    const largest = Math.max(0, ...trainable.map(({ shape }) => elementCount(shape)));
    const zeros = new Float32Array(largest);
    this.byName = new Map(
      trainable.map(({ name, shape }) => [accumulatorName(name), backend.tensor({ shape, dtype: 'f32' })]),
    );
    this.#zeros = new Map(
      [...this.byName.values()].map((tensor) => [tensor, zeros.subarray(0, elementCount(tensor.shape))]),
    );
  }

  /** By writing zeros, since a sum that has overflown would stay so in arithmetic. */
  clear(): void {
    for (const [tensor, zeros] of this.#zeros) tensor.write(zeros);
  }

  dispose(): void {
    for (const tensor of this.byName.values()) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

export interface DividedStepOptions extends TrainingStepOptions {
  readonly parts: number;
  readonly specs: readonly ParameterSpec[];
}

/**
 * A training step that takes its batch in parts and adds up their gradients, in less memory. The loss and the L2 penalty are those
 * of the whole batch, but a batch norm sees one part at a time: its statistics, and so the numbers, are others than of the
 * whole, and the moving ones change at every part.
 */
export class DividedStep implements Step {
  readonly batch: number;
  readonly #options: DividedStepOptions;
  readonly #tensors: TrainingTensors;
  readonly #sums: GradientSums;
  /** By the size of the part. */
  readonly #parts: ReadonlyMap<number, BoundProgram>;
  readonly #update: BoundProgram;

  private constructor(
    options: DividedStepOptions,
    tensors: TrainingTensors,
    sums: GradientSums,
    parts: ReadonlyMap<number, BoundProgram>,
    update: BoundProgram,
  ) {
    this.batch = options.batch;
    this.#options = options;
    this.#tensors = tensors;
    this.#sums = sums;
    this.#parts = parts;
    this.#update = update;
  }

  /** @param fit  makes the programs of the parts, the largest first */
  static async compile(
    backend: Backend,
    model: Model,
    tensors: TrainingTensors,
    sums: GradientSums,
    options: DividedStepOptions,
    fit: Fit,
  ): Promise<DividedStep> {
    const { batch, parts, specs, optimizer, imageTensors = new Map<string, Tensor>(), compile } = options;
    const { lossScaling } = tensors;
    const shared = new Map([...tensors.byName, ...sums.byName, ...imageTensors]);
    const update = await BoundProgram.compile(backend, updateGraph(model.name, specs, optimizer, lossScaling), shared);
    const programs = new Map<number, BoundProgram>();
    try {
      for (const size of new Set(partSizes(batch, parts))) {
        const { graph } = partGraph(model, { ...options, batch: size, of: batch, lossScaling });
        programs.set(
          size,
          await fit((limit) => BoundProgram.compile(backend, graph, shared, { ...compile, ...limit })),
        );
      }
      return new DividedStep(options, tensors, sums, programs, update);
    } catch (error) {
      for (const program of [update, ...programs.values()]) program.dispose();
      throw error;
    }
  }

  get arenaBytes(): number {
    return Math.max(...[...this.#parts.values()].map(({ program }) => program.report.arenaBytes));
  }

  get recomputation(): Recomputation | null {
    return [...this.#parts.values()][0]?.program.report.recomputation ?? null;
  }

  async run(buffers: BatchBuffers | GatherBuffers, learningRate: number, step: number): Promise<void> {
    const { batch, parts, seed = 0, optimizer = kerasAdam } = this.#options;
    this.#sums.clear();
    let first = 0;
    for (const [part, size] of partSizes(batch, parts).entries()) {
      const bound = this.#parts.get(size) as BoundProgram;
      writeBatch(bound, sliceBatch(buffers, batch, first, size));
      if (bound.has(randomInput)) bound.write(randomInput, dropoutRandom(seed, step, part));
      // The parts share their inputs.
      await bound.program.run();
      first += size;
    }
    for (const [name, valueAt] of Object.entries(optimizerRule(optimizer).scalars))
      this.#tensors.writeScalar(name, valueAt(learningRate, step));
    await this.#update.program.run();
  }

  dispose(): void {
    for (const program of [this.#update, ...this.#parts.values()]) program.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The images from `first` on of a batch that has been prepared. */
function sliceBatch<T extends BatchBuffers | GatherBuffers>(
  buffers: T,
  batch: number,
  first: number,
  count: number,
): T {
  const sliced = Object.entries(buffers).map(([name, data]: [string, Float32Array | Int32Array | null]) => {
    const stride = (data?.length ?? 0) / batch;
    return [name, data?.subarray(first * stride, (first + count) * stride) ?? null] as const;
  });
  return Object.fromEntries(sliced) as unknown as T;
}
