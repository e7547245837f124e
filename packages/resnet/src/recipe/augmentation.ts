import type { InterpolationOrder } from '../data/shift.ts';

/** What happens to a training image at random before the network sees it, as data. */
export type AugmentationSettings = NoAugmentation | ShiftAugmentation | CropAugmentation;

interface NoAugmentation {
  readonly kind: 'none';
}

/** Keras's ImageDataGenerator: continuous shifts, the edge repeated outside the image, and a flip. */
export interface ShiftAugmentation {
  readonly kind: 'shift';
  /** Largest shift in each direction, as a fraction of the image's size. */
  readonly range: number;
  /** Mirror every other image. */
  readonly flip: boolean;
  /** 1: linear between pixels, Keras's present default. 0: the nearest pixel, as when the example's table was made. */
  readonly interpolationOrder: InterpolationOrder;
}

/** He et al. 2015: `padding` zeros around the image (the mean, since that is subtracted already), a random crop of it, a flip. */
export interface CropAugmentation {
  readonly kind: 'crop';
  readonly padding: number;
  /** Mirror every other image. */
  readonly flip: boolean;
  /** Side of a square at a random place that becomes zero, in pixels; 0 for none (DeVries & Taylor 2017). */
  readonly cutout: number;
}

/**
 * Whether a device that holds the images can do it: core's `gatherImages` shifts with the edge repeated and flips, but
 * neither puts zeros around an image nor into it.
 */
export function isForDevice({ kind }: AugmentationSettings): boolean {
  return kind !== 'crop';
}

/** The example's augmentation: ±10 % of the image's size. */
export const kerasAugmentation: ShiftAugmentation = { kind: 'shift', range: 0.1, flip: true, interpolationOrder: 1 };
