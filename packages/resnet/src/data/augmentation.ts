import { permutation, philox4x32, randomStream, type RandomStream } from '@skiplane/core';
import { kerasShiftRange } from '../recipe.ts';
import type { ImageShape, InterpolationOrder } from './shift.ts';

/** What the random shifts and flips of an epoch depend on, besides the image's index. */
export interface Augmentation {
  readonly seed: number;
  /** 0-based. */
  readonly epoch: number;
  /** 1: linear between pixels, Keras's present default. 0: the nearest pixel, as when the example's table was made. */
  readonly interpolationOrder: InterpolationOrder;
}

/** A random shift, in pixels, and whether to flip afterwards. */
export interface Transform {
  dy: number;
  dx: number;
  flip: boolean;
}

/** The order of an epoch's images, keyed by seed and epoch alone. @param epoch  0-based */
export function epochOrder(seed: number, epoch: number, count: number): Uint32Array {
  return permutation(seed, `shuffle/epoch${epoch}`, count);
}

const two32 = 2 ** 32;

/**
 * The random transform of every image of an epoch: shifts uniform in ±0.1 of the image's size in each direction, a flip
 * with probability ½. A function of seed, epoch and the image's index in the data set: neither the order of the images
 * nor who asks matters.
 */
export class RandomTransforms {
  readonly #stream: RandomStream;
  readonly #range: { readonly y: number; readonly x: number };
  readonly #counter: [number, number, number, number];
  readonly #words = new Uint32Array(4);

  constructor({ seed, epoch }: Pick<Augmentation, 'seed' | 'epoch'>, { height, width }: ImageShape) {
    this.#stream = randomStream(seed, `augment/epoch${epoch}`);
    this.#range = { y: kerasShiftRange * height, x: kerasShiftRange * width };
    this.#counter = [0, 0, ...this.#stream.name];
  }

  /** Writes the transform of an image to `out`; one block of random bits is enough for all of it. */
  read(image: number, out: Transform): void {
    this.#counter[0] = image;
    const [dy = 0, dx = 0, flip = 0] = philox4x32(this.#counter, this.#stream.key, this.#words);
    out.dy = (dy / two32 - 0.5) * 2 * this.#range.y;
    out.dx = (dx / two32 - 0.5) * 2 * this.#range.x;
    out.flip = flip < two32 / 2;
  }
}

/** The transforms of the epoch that was asked for last: made once an epoch. */
export class EpochTransforms {
  readonly #shape: ImageShape;
  #last: { readonly seed: number; readonly epoch: number; readonly transforms: RandomTransforms } | undefined;

  constructor(shape: ImageShape) {
    this.#shape = shape;
  }

  of({ seed, epoch }: Pick<Augmentation, 'seed' | 'epoch'>): RandomTransforms {
    if (this.#last?.seed !== seed || this.#last.epoch !== epoch) {
      this.#last = { seed, epoch, transforms: new RandomTransforms({ seed, epoch }, this.#shape) };
    }
    return this.#last.transforms;
  }
}
