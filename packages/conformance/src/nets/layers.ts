import { samePadding, window2d, type ValueId } from '@skiplane/core';
import { fillData } from '../data.ts';
import { Composer } from '../compose/composer.ts';
import type { GraphCase } from '../op-graph.ts';

export interface Parameter {
  readonly name: string;
  readonly id: ValueId;
}

/** Composes small residual networks of plain ops, and keeps account of their parameters. */
export class NetComposer {
  readonly composer: Composer;
  readonly parameters: Parameter[] = [];
  readonly penalties: ValueId[] = [];
  #seed: number;

  constructor(name: string, seed: number) {
    this.composer = new Composer(name, seed);
    this.#seed = 1000 * seed;
  }

  /** A parameter of uniform numbers around `centre`. */
  parameter(name: string, shape: readonly number[], width: number, centre = 0): ValueId {
    const data = fillData(shape, { kind: 'uniform', seed: this.#seed++ }).map((value) => centre + width * value);
    const id = this.composer.inputOf(name, shape, data);
    this.parameters.push({ name, id });
    return id;
  }

  /** Convolution with bias, SAME padding and an L2 penalty; its filter keeps the variance of its input, as He's does. */
  conv(name: string, x: ValueId, outChannels: number, kernel: number, stride = 1): ValueId {
    const { composer } = this;
    const [, height = 1, width = 1, inChannels = 1] = composer.build.spec(x).shape;
    const shape = [kernel, kernel, inChannels, outChannels];
    const filter = this.parameter(`${name}/filter`, shape, Math.sqrt(6 / (kernel * kernel * inChannels)));
    const window = window2d(stride, samePadding([height, width], [kernel, kernel], [stride, stride]));
    this.penalties.push(composer.op('l2Penalty', [filter], { scale: 1e-4 }, name));
    return composer.op(
      'biasAdd',
      [composer.conv(x, filter, window), this.parameter(`${name}/bias`, [outChannels], 0.1)],
      {},
      name,
    );
  }

  batchNorm(name: string, x: ValueId): ValueId {
    const channels = this.composer.build.spec(x).shape.slice(-1);
    const statistics = [
      this.composer.input(`${name}/mean`, channels),
      this.composer.input(`${name}/variance`, channels, 'positive'),
    ];
    const operands = [
      x,
      this.parameter(`${name}/gamma`, channels, 0.2, 1),
      this.parameter(`${name}/beta`, channels, 0.2),
      ...statistics,
    ];
    const attrs = {
      epsilon: 1e-3,
      momentum: 0.99,
      movingVariance: 'biased',
      residual: false,
      activation: 'none',
    } as const;
    return this.composer.op('batchNormTraining', operands, attrs, name);
  }

  relu(x: ValueId): ValueId {
    return this.composer.relu(x);
  }

  /** Global average, dense layer, and the mean cross-entropy plus all penalties. */
  loss(x: ValueId, classes: number): ValueId {
    const { composer } = this;
    const [batch = 1, height = 1, width = 1, channels = 1] = composer.build.spec(x).shape;
    const padding = { top: 0, bottom: 0, left: 0, right: 0 };
    const pooled = composer.op('averagePool2d', [x], {
      window: { size: [height, width], strides: [height, width], padding },
    });
    const flat = composer.op('reshape', [pooled], { shape: [batch, channels] });
    const kernel = this.parameter('dense/kernel', [channels, classes], Math.sqrt(6 / channels));
    const dense = composer.op('matMul', [flat, kernel], { transposeA: false, transposeB: false });
    const logits = composer.op('biasAdd', [dense, this.parameter('dense/bias', [classes], 0.1)], {});
    const losses = composer.op('softmaxCrossEntropy', [logits, composer.input('labels', [batch, classes], 'oneHot')], {
      labelSmoothing: 0,
    });
    const mean = composer.op('affine', [composer.op('reduceSum', [losses], {})], { scale: 1 / batch, offset: 0 });
    return this.penalties.reduce((sum, penalty) => composer.add(sum, penalty), mean);
  }
}

/** A finished network: its forward graph, the value of its loss and its parameters. */
export interface Net extends GraphCase {
  readonly loss: ValueId;
  readonly parameters: readonly Parameter[];
}
