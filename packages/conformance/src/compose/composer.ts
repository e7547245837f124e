import { GraphBuilder, samePadding, type OpAttrs, type OpKind, type ValueId, type Window2d } from '@skiplane/core';
import { fillData, type FillKind } from '../data.ts';
import type { GraphCase } from '../op-graph.ts';

/** Sizes of a composed graph; what a graph does not need it leaves alone. */
export interface Dims {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: number;
  readonly stride: number;
}

/** Builds a graph together with the data of its inputs. */
export class Composer {
  readonly build: GraphBuilder;
  readonly #inputs = new Map<string, Float32Array>();
  #seed: number;

  constructor(name: string, seed: number) {
    this.build = new GraphBuilder(name);
    this.#seed = seed;
  }

  input(name: string, shape: readonly number[], kind: FillKind = 'uniform'): ValueId {
    return this.inputOf(name, shape, fillData(shape, { kind, seed: this.#seed++ }));
  }

  /** An input of given data. */
  inputOf(name: string, shape: readonly number[], data: Float32Array): ValueId {
    this.#inputs.set(name, data);
    return this.build.input(name, { shape, dtype: 'f32' });
  }

  op<K extends OpKind>(kind: K, inputs: readonly ValueId[], attrs: OpAttrs[K], label = ''): ValueId {
    return this.build.op(kind, inputs, attrs, label);
  }

  /** A convolution that nothing is fused into. */
  conv(x: ValueId, filter: ValueId, window: Window2d): ValueId {
    return this.op('conv2d', [x, filter], { window, bias: false, residual: false, activation: 'none' });
  }

  relu(x: ValueId): ValueId {
    return this.op('relu', [x], {});
  }

  add(a: ValueId, b: ValueId): ValueId {
    return this.op('add', [a, b], {});
  }

  /** An exact copy, which keeps the ops before and after it apart. */
  copy(x: ValueId): ValueId {
    return this.op('affine', [x], { scale: 1, offset: 0 });
  }

  finish(outputs: Readonly<Record<string, ValueId>>): GraphCase {
    for (const [name, id] of Object.entries(outputs)) this.build.output(name, id);
    return { graph: this.build.build(), inputs: this.#inputs };
  }
}

/** The SAME window of the sizes, and the shapes around it. */
export function convolution({ batch, height, width, inChannels, outChannels, kernel, stride }: Dims) {
  const padding = samePadding([height, width], [kernel, kernel], [stride, stride]);
  const window: Window2d = { strides: [stride, stride], padding };
  return {
    window,
    x: [batch, height, width, inChannels],
    filter: [kernel, kernel, inChannels, outChannels],
    y: [batch, Math.ceil(height / stride), Math.ceil(width / stride), outChannels],
  } as const;
}
