import {
  GraphBuilder,
  noPadding,
  randomLength,
  samePadding,
  window2d,
  type Activation,
  type SizedWindow2d,
  type ValueId,
  type Window2d,
} from '@skiplane/core';
import type { Initializer, ParameterSpec } from './parameters.ts';
import { kerasBatchNorm, kerasL2, type BatchNormSettings, type L2Settings } from './recipe/keras-constants.ts';

/** 'training' normalizes with the batch's statistics and updates the moving ones; 'inference' uses the moving ones. */
export type Mode = 'training' | 'inference';

export interface NetworkOptions {
  readonly mode: Mode;
  /** Default: Keras's. */
  readonly batchNorm?: Partial<BatchNormSettings>;
  /** Default: Keras's. */
  readonly l2?: L2Settings;
}

/**
 * - `same`: TensorFlow's, which at stride 2 pads an even size at the bottom and right only
 * - `symmetric`: half of the window on every side, as in Torch and in the papers
 */
export type ConvPadding = 'same' | 'symmetric';

export interface ConvOptions {
  readonly filters: number;
  readonly kernelSize: number;
  readonly strides: number;
  /** Default: same. */
  readonly padding?: ConvPadding;
  /** Default: true. */
  readonly bias?: boolean;
  /** What a bias begins with (default 0). */
  readonly initialBias?: number;
}

export interface PoolOptions {
  readonly size: number;
  readonly strides: number;
  readonly padding: ConvPadding;
}

/** One layer of the network, for summaries and explanations. */
export interface Layer {
  /** Such as `stage2/block1/conv1`. */
  readonly name: string;
  readonly kind: string;
  /** Without the batch axis. */
  readonly outputShape: readonly number[];
  /** Its output in the graph. */
  readonly output: ValueId;
  readonly parameters: readonly ParameterSpec[];
}

/** Input of a training graph with dropout: see core's `dropoutRandom`. */
export const randomInput = 'random';

const heNormal: Initializer = { kind: 'heNormal' };
const zeros: Initializer = { kind: 'constant', value: 0 };
const ones: Initializer = { kind: 'constant', value: 1 };

/**
 * Builds a network layer by layer: declares the parameters, adds the ops, and keeps a list of both.
 * Ops that have no method here are added through `build`, as in
 * `net.build.op('sigmoid', [x], {}, 'gate')`.
 */
export class NetworkBuilder {
  readonly build: GraphBuilder;
  readonly mode: Mode;
  readonly parameters: ParameterSpec[] = [];
  readonly layers: Layer[] = [];
  readonly #batchNorm: BatchNormSettings;
  readonly #l2: L2Settings;
  readonly #scopes: string[] = [];
  #random: ValueId | undefined;
  #dropouts = 0;

  constructor(name: string, { mode, batchNorm, l2 = kerasL2 }: NetworkOptions) {
    this.build = new GraphBuilder(name);
    this.mode = mode;
    this.#batchNorm = { ...kerasBatchNorm, ...batchNorm };
    this.#l2 = l2;
  }

  /** Puts `name/` in front of the names of all layers and parameters that `body` adds. */
  scope<T>(name: string, body: () => T): T {
    this.#scopes.push(name);
    try {
      return this.build.scope(name, body);
    } finally {
      this.#scopes.pop();
    }
  }

  /** Declares a parameter, named `<scope>/<name>`. */
  parameter(
    name: string,
    shape: readonly number[],
    initializer: Initializer,
    { trainable = true, l2 = 0, dtype }: Partial<Pick<ParameterSpec, 'trainable' | 'l2' | 'dtype'>> = {},
  ): ValueId {
    const spec: ParameterSpec = {
      name: this.#path(name),
      shape,
      initializer,
      trainable,
      l2,
      ...(dtype !== undefined && { dtype }),
    };
    this.parameters.push(spec);
    return this.build.input(spec.name, { shape, dtype: dtype ?? 'f32' });
  }

  /**
   * Convolution with he_normal filters and an L2 penalty on them.
   *
   * @shape x       [batch, height, width, inChannels]
   * @shape returns [batch, ⌈height/strides⌉, ⌈width/strides⌉, filters]
   */
  conv2d(
    x: ValueId,
    name: string,
    { filters, kernelSize, strides, padding = 'same', bias = true, initialBias = 0 }: ConvOptions,
  ): ValueId {
    const channels = this.channelsOf(x);
    const window = this.#window(x, kernelSize, strides, padding);
    return this.#layer(name, 'conv2d', () => {
      const filter = this.parameter(`${name}/filter`, [kernelSize, kernelSize, channels, filters], heNormal, {
        l2: this.#l2.filters,
      });
      const biases = bias
        ? this.parameter(`${name}/bias`, [filters], { kind: 'constant', value: initialBias })
        : undefined;
      const y = this.build.op(
        'conv2d',
        [x, filter],
        { window, bias: false, residual: false, activation: 'none' },
        name,
      );
      return biases === undefined ? y : this.build.op('biasAdd', [y, biases], {}, name);
    });
  }

  /** Batch normalization over all axes but channels. @shape x, returns […, channels] @param epsilon  default: the network's */
  batchNorm(x: ValueId, name: string, epsilon = this.#batchNorm.epsilon): ValueId {
    const shape = [this.channelsOf(x)];
    const { momentum, movingVariance } = this.#batchNorm;
    return this.#layer(name, 'batchNorm', () => {
      const moving = { trainable: false };
      const operands = [
        x,
        this.parameter(`${name}/gamma`, shape, ones),
        this.parameter(`${name}/beta`, shape, zeros),
        this.parameter(`${name}/mean`, shape, zeros, moving),
        this.parameter(`${name}/variance`, shape, ones, moving),
      ];
      const plain = { epsilon, residual: false, activation: 'none' } as const;
      return this.mode === 'inference'
        ? this.build.op('batchNormInference', operands, plain, name)
        : this.build.op('batchNormTraining', operands, { ...plain, momentum, movingVariance }, name);
    });
  }

  /** The activation, or x itself for 'none'. */
  activation(x: ValueId, name: string, activation: Activation): ValueId {
    if (activation === 'none') return x;
    return this.#layer(name, 'relu', () => this.build.op('relu', [x], {}, name));
  }

  /** The sum of two branches of one shape. */
  add(a: ValueId, b: ValueId, name: string): ValueId {
    return this.#layer(name, 'add', () => this.build.op('add', [a, b], {}, name));
  }

  /** The product, element by element, of two branches of one shape. */
  multiply(a: ValueId, b: ValueId, name: string): ValueId {
    return this.#layer(name, 'multiply', () => this.build.op('multiply', [a, b], {}, name));
  }

  /** factor·x. */
  scale(x: ValueId, name: string, factor: number): ValueId {
    return this.#layer(name, 'scale', () => this.build.op('affine', [x], { scale: factor, offset: 0 }, name));
  }

  /**
   * In training keeps each element with a probability of `keep` and makes the others 0; at inference multiplies all by `keep`.
   * @source Hinton et al. 2012
   */
  dropout(x: ValueId, name: string, keep: number): ValueId {
    return this.#layer(name, 'dropout', () => {
      if (this.mode === 'inference') return this.build.op('affine', [x], { scale: keep, offset: 0 }, name);
      this.#random ??= this.build.input(randomInput, { shape: [randomLength], dtype: 'i32' });
      return this.build.op('dropout', [x, this.#random], { keep, scale: 1, stream: this.#dropouts++ }, name);
    });
  }

  /** 1 − x. */
  complement(x: ValueId, name: string): ValueId {
    return this.#layer(name, 'complement', () => this.build.op('affine', [x], { scale: -1, offset: 1 }, name));
  }

  sigmoid(x: ValueId, name: string): ValueId {
    return this.#layer(name, 'sigmoid', () => this.build.op('sigmoid', [x], {}, name));
  }

  /** Average over windows that do not overlap. @shape x [batch, height, width, channels] */
  averagePool2d(x: ValueId, name: string, size: readonly [height: number, width: number]): ValueId {
    const window: SizedWindow2d = { size, strides: size, padding: { top: 0, bottom: 0, left: 0, right: 0 } };
    return this.#layer(name, 'averagePool2d', () => this.build.op('averagePool2d', [x], { window }, name));
  }

  /** Largest element of every window. @shape x [batch, height, width, channels] */
  maxPool2d(x: ValueId, name: string, { size, strides, padding }: PoolOptions): ValueId {
    const window: SizedWindow2d = { size: [size, size], ...this.#window(x, size, strides, padding) };
    return this.#layer(name, 'maxPool2d', () => this.build.op('maxPool2d', [x], { window }, name));
  }

  /** Every n-th pixel of every m-th row. @shape returns [batch, ⌈height/m⌉, ⌈width/n⌉, channels] */
  subsample(x: ValueId, name: string, strides: readonly [m: number, n: number]): ValueId {
    // The average over one pixel is the pixel, to the bit.
    const window: SizedWindow2d = { size: [1, 1], strides, padding: noPadding };
    return this.#layer(name, 'subsample', () => this.build.op('averagePool2d', [x], { window }, name));
  }

  /** Channels of zeros before and after those of x, as many on either side. @shape returns [batch, height, width, channels] */
  padChannels(x: ValueId, name: string, channels: number): ValueId {
    const added = channels - this.channelsOf(x);
    const before = Math.floor(added / 2);
    return this.#layer(name, 'padChannels', () =>
      this.build.op('padChannels', [x], { before, after: added - before }, name),
    );
  }

  /** @shape returns [batch, all other sizes multiplied] */
  flatten(x: ValueId, name: string): ValueId {
    const [batch = 0, ...rest] = this.build.spec(x).shape;
    const shape = [batch, rest.reduce((count, size) => count * size, 1)];
    return this.#layer(name, 'flatten', () => this.build.op('reshape', [x], { shape }, name));
  }

  /** y = x·kernel + bias. @shape x [batch, features] @shape returns [batch, units] */
  dense(x: ValueId, name: string, units: number): ValueId {
    const [, features = 0] = this.build.spec(x).shape;
    return this.#layer(name, 'dense', () => {
      const kernel = this.parameter(`${name}/kernel`, [features, units], heNormal, { l2: this.#l2.dense });
      const bias = this.parameter(`${name}/bias`, [units], zeros);
      const y = this.build.op('matMul', [x, kernel], { transposeA: false, transposeB: false }, name);
      return this.build.op('biasAdd', [y, bias], {}, name);
    });
  }

  /** A layer of ops that `body` adds through `build`. */
  layer(name: string, kind: string, body: () => ValueId): ValueId {
    return this.#layer(name, kind, body);
  }

  /** Size of the last axis. */
  channelsOf(x: ValueId): number {
    return this.build.spec(x).shape.at(-1) ?? 0;
  }

  #window(x: ValueId, size: number, strides: number, padding: ConvPadding): Window2d {
    const [, height = 0, width = 0] = this.build.spec(x).shape;
    if (padding === 'same') return window2d(strides, samePadding([height, width], [size, size], [strides, strides]));
    const side = Math.floor(size / 2);
    return window2d(strides, { top: side, bottom: side, left: side, right: side });
  }

  #path(name: string): string {
    return [...this.#scopes, name].join('/');
  }

  #layer(name: string, kind: string, body: () => ValueId): ValueId {
    const first = this.parameters.length;
    const output = body();
    const [, ...outputShape] = this.build.spec(output).shape;
    this.layers.push({ name: this.#path(name), kind, outputShape, output, parameters: this.parameters.slice(first) });
    return output;
  }
}
