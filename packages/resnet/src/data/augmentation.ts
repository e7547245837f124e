import { permutation, philox4x32, randomStream, type RandomStream } from '@skiplane/core';
import type { CropAugmentation, ShiftAugmentation } from '../recipe/augmentation.ts';
import type { ImageShape } from './shift.ts';

/** What the random transforms of an epoch depend on, besides the image's index. */
export type Augmentation = (ShiftAugmentation | CropAugmentation) & {
  readonly seed: number;
  /** 0-based. */
  readonly epoch: number;
};

/** Every image mirrored, with nothing random: for evaluations that look at both sides. */
export interface Mirror {
  readonly kind: 'mirror';
}

/** A random shift in pixels, whether to flip afterwards, and the centre of the square that is cut out, if one is. */
export interface Transform {
  dy: number;
  dx: number;
  flip: boolean;
  /** Row and column of the result. */
  cutY: number;
  cutX: number;
}

export const noTransform: Readonly<Transform> = { dy: 0, dx: 0, flip: false, cutY: 0, cutX: 0 };
export const mirrorTransform: Readonly<Transform> = { ...noTransform, flip: true };

/** The order of an epoch's images, keyed by seed and epoch alone. @param epoch  0-based */
export function epochOrder(seed: number, epoch: number, count: number): Uint32Array {
  return permutation(seed, `shuffle/epoch${epoch}`, count);
}

const two32 = 2 ** 32;
const two16 = 2 ** 16;

/**
 * The random transform of every image of an epoch. Shifts: uniform in ±range of the image's size in each direction; crops:
 * every whole shift of up to `padding` pixels equally likely; a flip with probability ½. A function of seed, epoch and the
 * image's index in the data set: neither the order of the images nor who asks matters.
 */
export class RandomTransforms {
  readonly #stream: RandomStream;
  readonly #augmentation: Augmentation;
  readonly #shape: ImageShape;
  readonly #counter: [number, number, number, number];
  readonly #words = new Uint32Array(4);

  constructor(augmentation: Augmentation, shape: ImageShape) {
    const { seed, epoch } = augmentation;
    this.#stream = randomStream(seed, `augment/epoch${epoch}`);
    this.#augmentation = augmentation;
    this.#shape = shape;
    this.#counter = [0, 0, ...this.#stream.name];
  }

  /** Writes the transform of an image to `out`; one block of random bits is enough for all of it. */
  read(image: number, out: Transform): void {
    this.#counter[0] = image;
    const [y = 0, x = 0, flip = 0, cut = 0] = philox4x32(this.#counter, this.#stream.key, this.#words);
    const { height, width } = this.#shape;
    const augmentation = this.#augmentation;
    if (augmentation.kind === 'shift') {
      out.dy = (y / two32 - 0.5) * 2 * augmentation.range * height;
      out.dx = (x / two32 - 0.5) * 2 * augmentation.range * width;
    } else {
      const places = 2 * augmentation.padding + 1;
      out.dy = Math.floor((y / two32) * places) - augmentation.padding;
      out.dx = Math.floor((x / two32) * places) - augmentation.padding;
      out.cutY = Math.floor(((cut >>> 16) / two16) * height);
      out.cutX = Math.floor(((cut & 0xffff) / two16) * width);
    }
    out.flip = augmentation.flip && flip < two32 / 2;
  }
}

/** The transforms of the augmentation that was asked for last: made once an epoch, whose batches share its object. */
export class EpochTransforms {
  readonly #shape: ImageShape;
  #last: { readonly augmentation: Augmentation; readonly transforms: RandomTransforms } | undefined;

  constructor(shape: ImageShape) {
    this.#shape = shape;
  }

  of(augmentation: Augmentation): RandomTransforms {
    if (this.#last?.augmentation !== augmentation) {
      this.#last = { augmentation, transforms: new RandomTransforms(augmentation, this.#shape) };
    }
    return this.#last.transforms;
  }
}
